/*
 * cmd_look: the commands that start nothing: lint, list, plan, schema.
 */
#pragma once

/* Each takes argv behind the command's name and returns the exit code. */
int cmd_look_lint(int argc, char *const argv[]);
int cmd_look_list(int argc, char *const argv[]);
int cmd_look_plan(int argc, char *const argv[]);
int cmd_look_schema(int argc, char *const argv[]);

void cmd_look_list_explain(void);
