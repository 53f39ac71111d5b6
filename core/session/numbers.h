/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/** core/session/numbers.h - a set of small numbers in use: gives out the smallest that is free, in constant time. Pure. [any] */
#pragma once

#include <glib.h>

/** Zero-initialise. */
typedef struct {
  GArray *taken; /**< guint64: a bit for each number, set while somebody has it */
  guint first;   /**< no word before this one has a free bit */
} AditNumbers;

/** The smallest number from 1 that nobody has; and back. */
guint32 adit_numbers_take(AditNumbers *numbers);
void adit_numbers_give_back(AditNumbers *numbers, guint32 number);
void adit_numbers_clear(AditNumbers *numbers);
