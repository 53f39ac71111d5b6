/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/** core/session/life/link-host.h - the events of a link, and their effects on its session and its client. [main] */
#pragma once

#include "core/session/link/link.h"

/** For adit_links_init(). */
extern const AditSessLinkOps adit_link_host_ops;
