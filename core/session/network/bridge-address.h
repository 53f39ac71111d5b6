/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/** core/session/network/bridge-address.h - whether a bridge of this machine keeps its MAC address when sessions come and go. [any] */
#pragma once

#include <glib.h>

/** The lack of a bridge that is to hold sessions, for people: it does not exist, or has no address; NULL = none, or it is not known. */
const char *adit_bridge_lack(const char *bridge);
