/*
 * cmocka_first: the headers that cmocka wants before its own, in its order.
 */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
