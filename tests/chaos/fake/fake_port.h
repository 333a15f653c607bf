/*
 * fake_port: the port (chaos/core/world.h) onto a fake world.
 */
#pragma once

#include "chaos/core/world.h"
#include "tests/chaos/fake/fake_world.h"

struct world fake_port(struct fake_world *f);
