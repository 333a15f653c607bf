/*
 * textorder: numbers in the order of their text, as Go prints the keys of a map: 1, 10, 11, 2.
 */
#pragma once

#include <stdint.h>

/* Calls visit(context, n) for every n in low..high (low at least 1), in that order. */
void textorder_each(uint32_t low, uint32_t high, void (*visit)(void *context, uint32_t n),
                    void *context);
