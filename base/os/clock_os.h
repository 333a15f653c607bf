/*
 * clock_os: the system's clocks as a clock port.
 */
#pragma once

#include "base/clock.h"

struct clock clock_os(void);
