/*
 * units: what a unit of time has of a smaller one. Instants and spans are nanoseconds in an int64_t
 * wherever a name ends in _ns, milliseconds where it ends in _ms.
 */
#pragma once

#include <stdint.h>

#define NS_PER_MS INT64_C(1000000)
#define NS_PER_S INT64_C(1000000000)
#define NS_PER_HOUR (3600 * NS_PER_S)
