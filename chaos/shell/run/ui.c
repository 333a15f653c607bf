#include "chaos/shell/run/ui.h"

#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/count.h"
#include "base/text/printable.h"

#define NAME_WIDTH_MAX 40
#define VERDICT_WIDTH 13 /* "not exercised" */

#define RED "\033[31m"
#define GREEN "\033[32m"
#define YELLOW "\033[33m"
#define DIM "\033[2m"
#define BOLD "\033[1m"
#define PLAIN "\033[0m"

static const char *const colours[VERDICT_COUNT] = {
    [VERDICT_PASS] = GREEN,      [VERDICT_SKIPPED] = DIM,        [VERDICT_NOT_EXERCISED] = YELLOW,
    [VERDICT_UNKNOWN] = YELLOW,  [VERDICT_DIRTY] = YELLOW,       [VERDICT_FAIL] = RED,
    [VERDICT_NOT_STARTED] = RED, [VERDICT_INTERRUPTED] = YELLOW, [VERDICT_INTERNAL] = RED,
};

static bool is_set(const char *name)
{
    const char *value = getenv(name);
    return value != NULL && value[0] != '\0';
}

static bool speaks_utf8(void)
{
    static const char *const names[] = {"LC_ALL", "LC_CTYPE", "LANG"};
    for (size_t i = 0; i < COUNT(names); i++) {
        const char *value = getenv(names[i]);
        if (value != NULL && value[0] != '\0')
            return strcasestr(value, "utf") != NULL;
    }
    return false;
}

void ui_open(struct ui *ui, FILE *out, enum ui_level level, int name_width)
{
    struct winsize size = {0};
    const char *term = getenv("TERM");
    bool terminal = isatty(fileno(out)) == 1 && term != NULL && strcmp(term, "dumb") != 0;
    *ui = (struct ui){.out = out,
                      .level = level,
                      .live = terminal && (level == UI_QUIET || level == UI_NORMAL),
                      .colour = terminal && !is_set("NO_COLOR"),
                      .utf8 = speaks_utf8(),
                      .width = 80,
                      .name_width = name_width < NAME_WIDTH_MAX ? name_width : NAME_WIDTH_MAX};
    if (terminal && ioctl(fileno(out), TIOCGWINSZ, &size) == 0 && size.ws_col >= 40)
        ui->width = size.ws_col;
}

static const char *paint(const struct ui *ui, const char *colour)
{
    return ui->colour ? colour : "";
}

/* Takes the progress lines off the screen: rows are written where they stood. */
static void erase(struct ui *ui)
{
    for (; ui->drawn > 0; ui->drawn--)
        (void)fputs("\033[1A\r\033[2K", ui->out);
}

/* Prints text, cut to `columns` with an ellipsis. A UTF-8 character counts as one column and is
 * never cut in two. */
static void print_cut(const struct ui *ui, const char *text, int columns)
{
    const char *dots = ui->utf8 ? "…" : "...";
    int dots_width = ui->utf8 ? 1 : 3;
    size_t fits = 0; /* bytes in front of the dots */
    size_t at = 0;
    for (int column = 0; text[at] != '\0'; column++) {
        if (column <= columns - dots_width)
            fits = at;
        if (column == columns) {
            (void)fprintf(ui->out, "%.*s%s", (int)fits, text, dots);
            return;
        }
        do {
            at++;
        } while (((unsigned char)text[at] & 0xC0) == 0x80);
    }
    (void)fputs(text, ui->out);
}

void ui_head(struct ui *ui, size_t scenarios, int at_a_time, uint64_t seed)
{
    if (ui->level < UI_NORMAL)
        return;
    (void)fprintf(ui->out, "%schaos %s%s  %zu scenario%s, %d at a time, seed %llu\n\n",
                  paint(ui, BOLD), PROJECT_VERSION, paint(ui, PLAIN), scenarios,
                  scenarios == 1 ? "" : "s", at_a_time, (unsigned long long)seed);
    (void)fprintf(ui->out, "%s%-*s  %-*s  %8s  %8s  %s%s\n", paint(ui, DIM), VERDICT_WIDTH,
                  "verdict", ui->name_width, "scenario", "wall", "waits", "purpose",
                  paint(ui, PLAIN));
    (void)fflush(ui->out);
}

void ui_step(struct ui *ui, const char *name, const struct runjob_message *step)
{
    if (ui->level != UI_VERBOSE || !step->finished)
        return;
    (void)fprintf(ui->out, "%s%-*s  %2zu/%zu %-18s %s%s%s\n", paint(ui, DIM), ui->name_width,
                  printable_line(name).text, step->number, step->total, step->phase,
                  printable_line(step->text).text, step->met ? "" : "  <- not met",
                  paint(ui, PLAIN));
    (void)fflush(ui->out);
}

static void print_findings(const struct ui *ui, const struct ui_row *row)
{
    struct buf shown CLEANUP(buf_done);
    buf_init(&shown, 8 * row->findings.len + 1);
    printable_text(row->findings, &shown);
    for (struct slice rest = buf_slice(&shown); rest.len > 0;) {
        struct slice line = slice_cut(&rest, '\n');
        if (line.len > 0)
            (void)fprintf(ui->out, "    %s%.*s%s\n", paint(ui, colours[row->verdict]),
                          SLICE_FMT(line), paint(ui, PLAIN));
    }
    if (row->folder != NULL)
        (void)fprintf(ui->out, "    %s%s%s\n", paint(ui, DIM), printable_line(row->folder).text,
                      paint(ui, PLAIN));
}

void ui_row(struct ui *ui, const struct ui_row *row)
{
    erase(ui);
    if (ui->level == UI_SILENT || (ui->level == UI_QUIET && row->verdict == VERDICT_PASS))
        return;
    const struct printable purpose = printable_line(row->purpose);
    int room = ui->width - (VERDICT_WIDTH + ui->name_width + 2 * 8 + 4 * 2);
    if (!ui->live || room < 0)
        room = (int)strlen(purpose.text);
    (void)fprintf(ui->out, "%s%-*s%s  %-*s  %6.2f s  %6.2f s  %s", paint(ui, colours[row->verdict]),
                  VERDICT_WIDTH, verdict_name(row->verdict), paint(ui, PLAIN), ui->name_width,
                  printable_line(row->name).text, (double)row->wall_ms / 1000,
                  (double)row->wait_ms / 1000, paint(ui, DIM));
    print_cut(ui, purpose.text, room);
    (void)fprintf(ui->out, "%s\n", paint(ui, PLAIN));
    if (row->verdict != VERDICT_PASS && row->verdict != VERDICT_SKIPPED)
        print_findings(ui, row);
    (void)fflush(ui->out);
}

static void print_bar(const struct ui *ui, const struct runjob_message *at)
{
    enum { CELLS = VERDICT_WIDTH };
    size_t full = at->total > 0 ? at->number * CELLS / at->total : 0;
    for (size_t i = 0; i < CELLS; i++)
        (void)fputs(ui->utf8 ? (i < full ? "━" : "─") : (i < full ? "=" : "-"), ui->out);
}

void ui_progress(struct ui *ui, const struct ui_running *running, size_t count)
{
    if (!ui->live)
        return;
    erase(ui);
    for (size_t i = 0; i < count; i++) {
        const struct ui_running *r = &running[i];
        int room = ui->width - (VERDICT_WIDTH + ui->name_width + 2 * 2 + 1);
        char text[2 * RUNJOB_TEXT_BYTES] = "starting the stack";
        if (r->last.total > 0)
            (void)snprintf(text, sizeof text, "%zu/%zu %s: %s", r->last.number, r->last.total,
                           r->last.phase, r->last.text);
        print_bar(ui, &r->last);
        (void)fprintf(ui->out, "  %-*s  %s", ui->name_width, printable_line(r->name).text,
                      paint(ui, DIM));
        print_cut(ui, printable_line(text).text, room);
        (void)fprintf(ui->out, "%s\n", paint(ui, PLAIN));
        ui->drawn++;
    }
    (void)fflush(ui->out);
}

void ui_say(struct ui *ui, const char *text)
{
    if (ui->level == UI_SILENT)
        return;
    erase(ui);
    (void)fprintf(ui->out, "%s%s%s\n", paint(ui, YELLOW), printable_line(text).text,
                  paint(ui, PLAIN));
    (void)fflush(ui->out);
}

void ui_total(struct ui *ui, const struct ui_total *total)
{
    const char *separator = "";
    if (ui->level == UI_SILENT)
        return;
    erase(ui);
    (void)fputs(ui->level == UI_QUIET ? "" : "\n", ui->out);
    for (int v = 0; v < VERDICT_COUNT; v++) {
        if (total->counts[v] == 0)
            continue;
        (void)fprintf(ui->out, "%s%s%zu %s%s", separator, paint(ui, colours[v]), total->counts[v],
                      verdict_name((enum verdict)v), paint(ui, PLAIN));
        separator = ", ";
    }
    (void)fprintf(ui->out, "  in %.2f s, with %.2f s of waits by design; results in %s\n",
                  (double)total->wall_ms / 1000, (double)total->wait_ms / 1000,
                  printable_line(total->runs).text);
    (void)fflush(ui->out);
}
