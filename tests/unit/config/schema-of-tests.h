/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/* A small schema with something of each type, so that tests of the machinery do not depend on what the other modules declare. */
#pragma once

#include "core/config/schema.h"

static const AditOption test_core_options[] = {
    {"log-level", "global", ADIT_TYPE_ENUM, 0, ADIT_RELOAD_LIVE, 0, 0, "info", "error warning=warn warn info debug", NULL,
     "How much to log.", NULL},
    {"plugins", "global", ADIT_TYPE_STRING, ADIT_OPTION_LIST, ADIT_RELOAD_RESTART, 0, 0, NULL, NULL, NULL, "What to load.", NULL},
    {"aaa", "global", ADIT_TYPE_MAP, 0, 0, 0, 0, NULL, "aaa", NULL, "Who may in.", NULL},
    {"interim-update", "aaa", ADIT_TYPE_DURATION, ADIT_OPTION_OFF, 0, 10000, 86400000, "none", NULL, NULL, "Accounting interval.", NULL},
    {"pools", "global", ADIT_TYPE_MAP, ADIT_OPTION_LIST, 0, 0, 0, NULL, "pool", NULL, "Addresses to give away.", NULL},
    {"name", "pool profile secret server", ADIT_TYPE_STRING, ADIT_OPTION_REQUIRED | ADIT_OPTION_KEY, 0, 1, 31, NULL, NULL, NULL,
     "Its name.", NULL},
    {"ranges", "pool", ADIT_TYPE_RANGE, ADIT_OPTION_LIST | ADIT_OPTION_REQUIRED, 0, 0, 0, NULL, NULL, NULL, "Addresses.", NULL},
    {"profiles", "global", ADIT_TYPE_MAP, ADIT_OPTION_LIST, 0, 0, 0, NULL, "profile", NULL, "What users have in common.", NULL},
    {"secrets", "global", ADIT_TYPE_MAP, ADIT_OPTION_LIST, 0, 0, 0, NULL, "secret", NULL, "Users.", NULL},
    {"password", "secret", ADIT_TYPE_STRING, ADIT_OPTION_SECRET, 0, 0, 128, NULL, NULL, NULL, "The password.", NULL},
    {"profile", "secret", ADIT_TYPE_STRING, 0, 0, 0, 0, "default", NULL, NULL, "A profile.", NULL},
    {"remote-address", "profile secret", ADIT_TYPE_ADDRESS_OR_NAME, 0, ADIT_RELOAD_NEXT_SESSION, 0, 0, NULL, NULL, NULL, "Address or pool.",
     NULL},
    {"dns-server", "profile", ADIT_TYPE_ADDRESS, ADIT_OPTION_LIST, 0, 0, 0, NULL, NULL, NULL, "Resolvers.", NULL},
    {"route", "profile", ADIT_TYPE_PREFIX, 0, 0, 0, 0, NULL, NULL, NULL, "A route.", NULL},
    {"rate", "profile", ADIT_TYPE_RATE, 0, 0, 1000, 100000000000, NULL, NULL, NULL, "Speed.", NULL},
    {"limit", "profile", ADIT_TYPE_SIZE, ADIT_OPTION_OFF, 0, 1024, (gint64)1 << 50, "unlimited", NULL, NULL, "Volume.", NULL},
    {"use-ipv6", "profile", ADIT_TYPE_ENUM, 0, 0, 0, 0, "default", "no yes default required require=required", NULL, "IPv6.", NULL},
};

static const AditOption test_l2tp_options[] = {
    {"l2tp", "global", ADIT_TYPE_MAP, 0, 0, 0, 0, NULL, "l2tp", NULL, "L2TP.", NULL},
    {"servers", "l2tp", ADIT_TYPE_MAP, ADIT_OPTION_LIST, 0, 0, 0, NULL, "server", NULL, "Servers.", NULL},
    {"limits", "l2tp", ADIT_TYPE_MAP, 0, 0, 0, 0, NULL, "l2tp.limits", NULL, "Limits.", NULL},
    {"max-half-open", "l2tp.limits", ADIT_TYPE_INT, 0, ADIT_RELOAD_RESTART, 1, 65535, "1000", NULL, "tunnels", "Half-open tunnels.", NULL},
    {"enabled", "server", ADIT_TYPE_BOOL, 0, 0, 0, 0, "yes", NULL, NULL, "On or off.", NULL},
    {"max-mtu", "server", ADIT_TYPE_INT, 0, 0, 68, 65535, "1450", NULL, "octets", "Largest packet.", "RFC 1661 6.1"},
    {"max-mru", "server", ADIT_TYPE_INT, 0, 0, 68, 65535, "1450", NULL, "octets", "Largest packet in.", NULL},
    {"authentication", "server", ADIT_TYPE_SET, 0, 0, 0, 0, "mschap2, mschap1", "pap chap mschap1 mschap2 mschapv2=mschap2", NULL,
     "Methods.", NULL},
    {"keepalive-timeout", "server", ADIT_TYPE_DURATION, ADIT_OPTION_OFF, 0, 1000, 3600000, "30", NULL, NULL, "Silence.", NULL},
    {"default-profile", "server", ADIT_TYPE_STRING, 0, 0, 0, 0, "default", NULL, NULL, "A profile.", NULL},
};
