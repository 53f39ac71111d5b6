/* SPDX-License-Identifier: MIT */
/** adit/adit.h - everything a plugin may use. */
#pragma once

#include <adit/auth.h>
#include <adit/control.h>
#include <adit/encap.h>
#include <adit/ether.h>
#include <adit/net.h>
#include <adit/plugin.h>
#include <adit/pool.h>
#include <adit/ppp.h>
#include <adit/protection.h>
#include <adit/session-options.h>
#include <adit/session.h>
#include <adit/stage.h>
#include <adit/store.h>
