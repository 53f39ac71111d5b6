/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/* Accounting records of sessions and of the daemon. */
#include "core/session/life/accounting.h"
#include "core/aaa/aaa.h"
#include "core/base/loop.h"
#include "core/base/random.h"
#include "core/session/life/sess.h"
#include "core/session/network/plane.h"
#include "core/session/session.h"
#include <adit/session-options.h>

static guint32 boot_time; /* with boot_dice: no two runs of the daemon have both */
static guint16 boot_dice;
static guint32 last_record;
static gboolean told_on; /* ON went out: OFF has to follow */

void adit_account_init(void) {
  boot_time = (guint32)(g_get_real_time() / G_USEC_PER_SEC);
  adit_random(&boot_dice, sizeof boot_dice);
  last_record = 0;
  told_on = FALSE;
}

static char *record_id(guint32 number) {
  return g_strdup_printf("%08x%04x%08x", boot_time, boot_dice, number);
}

char *adit_record_id_new(void) {
  return record_id(++last_record);
}

/* ---- facts ---- */

static void add_text(AditValue *map, const char *key, const char *text) {
  if (text && *text)
    adit_value_set(map, key, adit_value_string(text));
}

static void add_address(AditValue *map, const char *key, const AditAddress *address) {
  if (adit_address_is_set(address) && !adit_address_is_any(address))
    adit_value_set(map, key, adit_value_address(address));
}

static void add_identifier(AditValue *map, const char *key, const AditAddress *address) {
  static const guint8 none[8];
  guint8 id[8];
  adit_family_identifier(address, id);
  if (memcmp(id, none, 8) != 0)
    adit_value_set(map, key, adit_value_octets(id, 8));
}

static void add_endpoints(AditValue *map, const AditSess *session) {
  AditAddress peer = adit_endpoint_address(&session->peer), local = adit_endpoint_address(&session->local);

  add_address(map, "peer", &peer);
  add_address(map, "local", &local);
  adit_value_set(map, "peer-port", adit_value_int(adit_endpoint_port(&session->peer)));
}

/* The facts that adit/auth.h promises in AditAcctRecord. The caller owns it. */
static AditValue *facts_of(const AditSess *session) {
  AditValue *map = adit_value_map();

  add_text(map, "service", session->server);
  add_text(map, "transport", session->transport);
  add_text(map, "interface", adit_sess_interface(session));
  add_text(map, "caller-id", session->caller_id);
  add_text(map, "called-id", session->called_id);
  add_text(map, "method", session->method);
  add_text(map, "source", session->source);
  add_endpoints(map, session);
  add_address(map, "local-address", &session->family[ADIT_SESS_IPV4].local);
  add_address(map, "remote-address", &session->family[ADIT_SESS_IPV4].remote);
  add_identifier(map, "local-interface-id", &session->family[ADIT_SESS_IPV6].local);
  add_identifier(map, "remote-interface-id", &session->family[ADIT_SESS_IPV6].remote);
  adit_value_set(map, "port", adit_value_int(session->number));
  adit_value_set(map, "mtu", adit_value_int(session->mtu));
  if (session->link_attributes)
    adit_value_set(map, "transport-attributes", adit_value_ref(session->link_attributes));
  return map;
}

/* ---- records ---- */

void adit_sess_account(AditSess *session, AditAcctKind kind) {
  if (kind == ADIT_ACCT_START)
    session->accounting.started = adit_acct_has_sink() && adit_aaa_accounting();
  if (!session->accounting.started)
    return;

  g_autoptr(AditValue) facts = facts_of(session);
  AditAcctRecord record = {.size = sizeof record,
                           .kind = kind,
                           .session = session->id,
                           .record_id = session->record_id,
                           .user = session->user,
                           .attributes = session->attributes,
                           .counters = adit_sess_counters(session),
                           .uptime_ms = adit_sess_uptime_ms(session),
                           .cause = session->cause,
                           .facts = facts,
                           .when_ms = g_get_real_time() / 1000,
                           .multi_id = session->multi_id,
                           .link_count = session->links_seen,
                           .client = session->is_client,
                           .reason = session->reason};
  adit_acct_record(&record);
}

void adit_session_account(gboolean on) {
  g_autofree char *id = record_id(0);
  AditAcctRecord record = {.size = sizeof record,
                           .kind = on ? ADIT_ACCT_ON : ADIT_ACCT_OFF,
                           .record_id = id,
                           .cause = on ? ADIT_CAUSE_NONE : ADIT_CAUSE_ADMIN_REBOOT,
                           .when_ms = g_get_real_time() / 1000};
  if (on == told_on || (on && !adit_aaa_accounting()))
    return;
  told_on = on;
  adit_acct_record(&record);
}

/* ---- interim ---- */

static guint64 period_of(const AditSess *session) {
  const AditValue *own = adit_option_interim_update_value(session->attributes);

  if (!session->accounting.started)
    return 0;
  return own && own->type == ADIT_VALUE_INT ? (guint64)own->as.integer : session->accounting.configured_ms;
}

static void on_interim(AditTimer *timer, gpointer data) {
  AditSess *session = data;

  adit_timer_arm(timer, session->accounting.period_ms);
  adit_sess_account(session, ADIT_ACCT_INTERIM);
}

void adit_sess_accounting_init(AditSess *session) {
  session->accounting.timer.func = on_interim;
  session->accounting.timer.data = session;
}

void adit_sess_accounting_stop(AditSess *session) {
  adit_timer_cancel(&session->accounting.timer);
}

/* Ten thousand that came up together, or were changed together, must not report together for ever. */
static void begin_period(AditSess *session) {
  guint32 dice;

  adit_random(&dice, sizeof dice);
  if (session->accounting.period_ms)
    adit_timer_arm(&session->accounting.timer, 1 + (guint64)dice * session->accounting.period_ms / G_MAXUINT32);
  else
    adit_timer_cancel(&session->accounting.timer);
}

void adit_sess_interim_start(AditSess *session) {
  session->accounting.configured_ms = adit_aaa_interim_ms();
  session->accounting.period_ms = period_of(session);
  begin_period(session);
}

void adit_sess_interim_changed(AditSess *session) {
  guint64 before = session->accounting.period_ms;

  session->accounting.period_ms = period_of(session);
  if (session->accounting.period_ms != before)
    begin_period(session);
  if (session->accounting.period_ms)
    adit_sess_account(session, ADIT_ACCT_INTERIM);
}
