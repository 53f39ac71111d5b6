/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/** core/session/config/profile.h - the attributes of a session: RouterOS's merging of record, profile and default profile. [main] */
#pragma once

#include <adit/value.h>

/** The profiles of one configuration. */
typedef struct AditProfiles AditProfiles;

/** Reads `profiles` of a whole configuration; `default` and `default-encryption` exist even if they are not written. */
AditProfiles *adit_profiles_new(const AditValue *config);
void adit_profiles_free(AditProfiles *profiles);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(AditProfiles, adit_profiles_free)

gboolean adit_profiles_have(const AditProfiles *profiles, const char *name);

/**
 * The attributes of a session: `record` (a secret or a source's reply; may be NULL) over the profile it names over
 * `default_profile`, and the schema's defaults at last. An option that is absent, a default, or the word `default` is taken from the next.
 * One rule breaks the order: for local-address and remote-address a single address beats a pool at any level.
 *
 * @return a reference to a MAP that others may share: never change it. The record's own words that are no attributes (password,
 * comment) are left out.
 */
AditValue *adit_profiles_merge(const AditProfiles *profiles, const AditValue *record, const char *default_profile);

/** Does an attribute with the words yes, no and default say yes? `otherwise` is what default, and NULL, mean. */
gboolean adit_attribute_yes(const char *word, gboolean otherwise);
