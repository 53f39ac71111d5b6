/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/** core/session/life/session-attributes.h - the profiles in force, and the attributes that a session begins with. [main] */
#pragma once

#include "core/session/config/profile.h"

typedef struct AditSess AditSess;
typedef struct AditSessLink AditSessLink;

void adit_session_attributes_set_profiles(AditProfiles *profiles); /**< takes them over; NULL = none */
const AditProfiles *adit_session_attributes_profiles(void);
/** The profile under the user's own; NULL for a client. Borrowed. */
const char *adit_session_attributes_default_profile(const AditSess *session);
/** Merges what the source said of the link's user over its profiles. Attributes without effect are logged. */
void adit_session_attributes_merge(AditSess *session, const AditSessLink *link);
