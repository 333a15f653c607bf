/*
 * count: the number of elements of an array whose length the compiler knows. Of a pointer it would
 * be nonsense, which the compilers refuse (-Wsizeof-pointer-div).
 */
#pragma once

#define COUNT(array) (sizeof(array) / sizeof *(array))
