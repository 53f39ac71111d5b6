/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/** mp-bundler.h - which link belongs to which bundle (RFC 1990 5.1.3), and its stage. [main] */
#pragma once

#include <adit/loop.h>
#include <adit/session.h>

G_BEGIN_DECLS

typedef struct MpBundler MpBundler;

MpBundler *mp_bundler_new(const AditSessionService *sessions, const AditLoopService *loop);
void mp_bundler_free(MpBundler *self);
/** For AditSessionService.bundler_add(), with the MpBundler as state. */
extern const AditBundlerOps mp_bundler_ops;
/** The session's attributes may be others: ends links that are too many, the newest first. */
void mp_bundler_enforce(MpBundler *self, AditSessionId session);

G_END_DECLS
