/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/** workers.h - how many workers there may be */
#pragma once

#include <adit/types.h>

#define TUN_WORKERS_MAX 8
