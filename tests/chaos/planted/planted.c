#include "tests/chaos/planted/planted.h"

const char planted_sealed[] = "version: 1\npurpose: p\n"
                              "stack: {environment: {ALLOW_FALLBACK_SIGNING: \"true\"}}\n"
                              "steady_state:\n  - sign: {via: api}\n"
                              "method:\n  - vault: seal\n  - sign: {via: api, as: outage}\n"
                              "rollback:\n  - vault: {unseal: 3}\n";

const char planted_sealed_off[] =
    "version: 1\npurpose: p\n"
    "stack: {environment: {ALLOW_FALLBACK_SIGNING: \"false\"}}\n"
    "steady_state:\n  - sign: {via: api}\n"
    "method:\n  - vault: seal\n"
    "  - sign: {via: api, as: outage, expect: {reason: fallback_off}}\n"
    "rollback:\n  - vault: {unseal: 3}\n";

const char planted_sealed_often[] =
    "version: 1\npurpose: p\n"
    "stack: {environment: {ALLOW_FALLBACK_SIGNING: \"true\"}}\n"
    "steady_state:\n  - sign: {via: api}\n"
    "method:\n  - vault: seal\n  - sign: {via: api}\n  - sign: {via: api}\n  - sign: {via: api}\n"
    "  - sign: {via: api}\nrollback:\n  - vault: {unseal: 3}\n";
