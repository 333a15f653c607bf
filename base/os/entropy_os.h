/*
 * entropy_os: the system's random bytes (getrandom through libsodium) as an
 * entropy port.
 */
#pragma once

#include "base/entropy.h"

/* Initialises libsodium; aborts when that fails. */
struct entropy entropy_os(void);
