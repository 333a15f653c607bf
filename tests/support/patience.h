/*
 * patience: how long a unit test waits for an event before it gives up.
 *
 * It ends what would never end and judges no speed: what comes within milliseconds on an idle
 * machine may take seconds on one with twenty others at work. HARNESS_PATIENCE is the factor on
 * all limits, see tests/CMakeLists.txt.
 */
#pragma once

#ifndef HARNESS_PATIENCE
#define HARNESS_PATIENCE 1
#endif

#define PATIENCE_S (60 * HARNESS_PATIENCE)
#define PATIENCE_MS (1000 * PATIENCE_S)
