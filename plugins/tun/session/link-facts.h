/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/** link-facts.h - what stages are told of a session's links */
#pragma once

#include "../worker/worker.h"
#include "tun-session.h"

/** Asks the kernel for the MTU of the link's path. [main] */
void tun_link_facts_learn(AditDpLink *link);
/** The same for all links of the session. [main] */
void tun_link_facts_learn_all(const AditDpSession *session);
/** For AditStageIo.link(). On the session's home worker. [worker] */
gboolean tun_link_facts_read(const TunWorker *w, const AditDpSession *session, guint index, AditStageLink *out);
