/*
 * leftovers: files that a killed process left beside a manifest while writing it
 * (base/os/file.h writes to "NAME.XXXXXX" and renames).
 */
#pragma once

/* Removes "NAME.??????" beside path, where each ? is a letter or digit. To be called by the
 * holder of the bundle's claim only. What cannot be removed stays. */
void leftovers_remove(const char *path);
