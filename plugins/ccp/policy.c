/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
#include "policy.h"

#include "options.h"

/* A word of encryption-types and mppe-types; `none` has no bit. */
static guint32 strength_of(const char *word) {
  return g_strcmp0(word, "128-bit") == 0  ? MPPE_128
         : g_strcmp0(word, "56-bit") == 0 ? MPPE_56
         : g_strcmp0(word, "40-bit") == 0 ? MPPE_40
                                          : 0;
}

static guint32 strengths_in(const AditValue *list) {
  guint32 strengths = 0;
  for (guint i = 0; i < adit_value_length(list); i++)
    strengths |= strength_of(adit_value_at(list, i)->as.string);
  return list ? strengths : MPPE_STRENGTHS;
}

guint32 ccp_allowed_strengths(const AditValue *attributes, const AditMppeKeys *keys) {
  guint32 allowed = strengths_in(ccp_option_encryption_types(attributes)) & strengths_in(adit_option_mppe_types(attributes));

  if (!keys)
    return 0;
  return ADIT_HAS(keys, shorter) && keys->shorter == ADIT_MPPE_SHORT_NONE ? allowed & MPPE_128 : allowed;
}

CcpMode ccp_mode(const AditValue *attributes) {
  const char *word = ccp_option_encryption_mode(attributes);
  return g_strcmp0(word, "stateless") == 0 ? CCP_MODE_STATELESS : g_strcmp0(word, "stateful") == 0 ? CCP_MODE_STATEFUL : CCP_MODE_ANY;
}

/* The stricter one counts; but a server that merely allows encryption does not overrule a profile that says no. */
static AditNcpNeed choose_need(const char *word, const char *policy) {
  if (g_strcmp0(word, "required") == 0 || g_strcmp0(policy, "required") == 0)
    return ADIT_NCP_REQUIRE;
  if (g_strcmp0(word, "no") == 0)
    return ADIT_NCP_OFF;
  return g_strcmp0(word, "yes") == 0 || g_strcmp0(policy, "allowed") == 0 ? ADIT_NCP_OFFER : ADIT_NCP_OFF;
}

AditNcpNeed ccp_need(const AditNcpParams *params, const char *word, const char **why) {
  AditNcpNeed need = choose_need(word, adit_option_mppe_policy(params->attributes));

  if (need == ADIT_NCP_OFF || ccp_allowed_strengths(params->attributes, params->mppe))
    return need;
  *why = params->mppe ? "no key length is allowed for which authentication made keys" : "authentication made no keys, as mschap2 does";
  return need == ADIT_NCP_REQUIRE ? ADIT_NCP_REFUSE : ADIT_NCP_OFF;
}

gboolean ccp_is_required(const AditValue *attributes) {
  return choose_need(adit_option_use_encryption(attributes), adit_option_mppe_policy(attributes)) == ADIT_NCP_REQUIRE;
}
