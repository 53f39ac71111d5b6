/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
#include <adit/adit.h>

ADIT_PLUGIN_DEFINE(null, .name = "null", .version = ADIT_VERSION, .summary = "");
