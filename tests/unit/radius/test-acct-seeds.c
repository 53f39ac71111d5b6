/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/*
 * Sessions, outages and kills by a seed: at the end each session has one Start and one Stop at the server, after repeats are taken
 * out, and the octets are those that were last known.
 *
 *     test-acct-seeds [FIRST [COUNT]]
 */
#include "acct-world.h"
#include "core/base/logging.h"
#include "plugins-auth/radius/wire/vocabulary.h"

enum { STEPS = 250, SESSIONS_MAX = 1000, INTERIMS_MAX = 64, OPEN_MAX = 12 };

typedef struct {
  char id[24];
  guint life;
  gboolean open;
  int start, stop; /* 0 not told, 1 kept, -1 not */
  gboolean stopped;
  guint interims;
  int interim[INTERIMS_MAX];
  guint64 octets[INTERIMS_MAX + 1]; /* at the start (0) and with each interim */
  guint64 last;                     /* with the Stop */
} Session;

static struct {
  Session all[SESSIONS_MAX];
  guint n;
  int on[64];
  guint32 seed;
  guint64 lost, sessions, records, packets, repeats, kills;
} run;

static guint32 first_seed = 1, seeds = 60;

static gint32 dice(gint32 sides) {
  return g_rand_int_range(world.rand, 0, sides);
}

/* ---- what happens ---- */

static Session *some_open(void) {
  Session *open[SESSIONS_MAX];
  guint n = 0;
  for (guint i = 0; i < run.n; i++)
    if (run.all[i].open)
      open[n++] = &run.all[i];
  return n ? open[dice((gint32)n)] : NULL;
}

static guint count_open(void) {
  guint n = 0;
  for (guint i = 0; i < run.n; i++)
    n += run.all[i].open;
  return n;
}

static void begin_session(void) {
  if (run.n == SESSIONS_MAX || count_open() >= OPEN_MAX)
    return;
  Session *s = &run.all[run.n];
  *s = (Session){.life = world.life, .open = TRUE};
  g_snprintf(s->id, sizeof s->id, "%u-%u", world.life, run.n++);
  world_record(ADIT_ACCT_START, s->id, 0, 0, 0, &s->start);
}

static void update_session(Session *s) {
  if (!s || s->interims == INTERIMS_MAX)
    return;
  guint k = s->interims++;
  s->octets[k + 1] = s->octets[k] + (guint64)dice(G_MAXINT32) * 3;
  world_record(ADIT_ACCT_INTERIM, s->id, s->octets[k + 1], s->octets[k + 1] / 2, (guint64)s->interims * 60000, &s->interim[k]);
}

static void end_session(Session *s) {
  if (!s)
    return;
  s->open = FALSE;
  s->stopped = TRUE;
  s->last = s->octets[s->interims] + (guint64)dice(1000000);
  world_record(ADIT_ACCT_STOP, s->id, s->last, s->last / 2, (guint64)(s->interims + 1) * 60000, &s->stop);
}

static void start_daemon(void) {
  char id[16];
  world_start();
  g_snprintf(id, sizeof id, "run-%u", world.life);
  world_record(ADIT_ACCT_ON, id, 0, 0, 0, &run.on[world.life % G_N_ELEMENTS(run.on)]);
}

static void kill_daemon(void) {
  run.kills++;
  world_kill();
  for (guint i = 0; i < run.n; i++)
    run.all[i].open = FALSE;
  world.now += (guint64)dice(100000);
  start_daemon();
}

static void restart_daemon(void) {
  for (Session *s; (s = some_open());)
    end_session(s);
  world.open_gate = TRUE;
  world_stop(2000);
  start_daemon();
  world.open_gate = dice(2);
}

static void step(void) {
  gint32 what = dice(100);
  if (what < 20)
    begin_session();
  else if (what < 45)
    update_session(some_open());
  else if (what < 58)
    end_session(some_open());
  else if (what < 62)
    world.up[0] = !world.up[0];
  else if (what < 64)
    world.open_gate = !world.open_gate;
  else if (what < 66)
    kill_daemon();
  else if (what < 67)
    restart_daemon();
  else if (what < 82)
    world_pass((guint)dice(6));
  else
    world_run((guint)(1 << dice(16)));
}

/* Everything that can go well does. */
static void come_to_an_end(void) {
  world.open_gate = world.up[0] = TRUE;
  world.lose_percent = 0;
  world_run(1);
  for (Session *s; (s = some_open());)
    end_session(s);
  assert_true(world_run_until(world_is_idle, 3600000));
  assert_int_equal(world_rows(RADIUS_TABLE_RECORDS), 0);
  assert_int_equal(world_rows(RADIUS_TABLE_SESSIONS), 0);
}

/* ---- what must be true ---- */

/* What came for a session of one status: how often, how many different ones, and the first. */
static guint different(const Session *s, guint status, const Arrival **first, guint *n) {
  g_autoptr(GHashTable) set = g_hash_table_new(g_bytes_hash, g_bytes_equal);
  *first = NULL;
  *n = 0;
  for (guint i = 0; i < world.arrivals->len; i++) {
    const Arrival *arrival = world_arrival(i);
    if (arrival->status != status || !g_str_equal(arrival->id, s->id))
      continue;
    *first = *first ? *first : arrival;
    ++*n;
    g_hash_table_add(set, arrival->rest);
  }
  return g_hash_table_size(set);
}

/* The counters of a Stop: those of the session's own, if it had one and that was kept, else what was known last. */
static void check_stop(const Session *s, const Arrival *stop) {
  if (s->stopped && (s->stop > 0 || stop->cause == ADIT_CAUSE_USER_REQUEST)) {
    assert_int_equal(stop->cause, ADIT_CAUSE_USER_REQUEST);
    assert_int_equal(stop->in_octets, s->last);
    assert_int_equal(stop->out_octets, s->last / 2);
    return;
  }
  guint least = 0, k;
  for (k = 0; k < s->interims; k++)
    least = s->interim[k] > 0 ? k + 1 : least;
  for (k = least; k <= s->interims && s->octets[k] != stop->in_octets; k++)
    ;
  assert_true(k <= s->interims);
  assert_int_equal(stop->cause, ADIT_CAUSE_NAS_REBOOT);
  assert_int_equal(stop->out_octets, s->octets[k] / 2);
}

static void check_session(const Session *s) {
  const Arrival *start, *stop, *interim;
  guint starts, stops, interims, n, kept = 0;
  guint n_starts = different(s, START, &start, &starts);
  guint n_stops = different(s, STOP, &stop, &stops);
  guint n_interims = different(s, INTERIM, &interim, &interims);

  for (guint k = 0; k < s->interims; k++)
    kept += s->interim[k] > 0;
  assert_true(n_starts <= 1 && n_stops <= 1 && n_interims <= s->interims);
  if (!world.drop_oldest) {
    assert_int_equal(n_stops, n_starts);
    assert_true(n_starts || s->start <= 0);
  }
  if (world.max_records > SESSIONS_MAX)
    assert_true(n_interims >= kept);
  run.lost += s->start > 0 && !n_starts;
  n = n_starts + n_stops + n_interims;
  run.sessions++;
  run.records += n;
  run.repeats += starts + stops + interims - n;
  if (stop)
    check_stop(s, stop);
}

/* In each life a session's records come in order, and what is said of their time is right. */
static void check_order(void) {
  static const guint rank[] = {[START] = 1, [INTERIM] = 2, [STOP] = 3};
  g_autoptr(GHashTable) last = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);

  for (guint i = 0; i < world.arrivals->len; i++) {
    const Arrival *a = world_arrival(i);
    assert_in_range((guint64)a->stamp + a->delay, (guint64)(a->at_ms / 1000) - 1, (guint64)(a->at_ms / 1000));
    if (a->status > INTERIM)
      continue;
    char *key = g_strdup_printf("%u %s", a->life, a->id);
    assert_true(GPOINTER_TO_UINT(g_hash_table_lookup(last, key)) <= rank[a->status]);
    g_hash_table_replace(last, key, GUINT_TO_POINTER(rank[a->status]));
  }
}

/* After the On of a life came, each Start of that life came (perhaps not for the first time). */
static void check_on(void) {
  for (guint i = 0; i < world.arrivals->len; i++) {
    const Arrival *on = world_arrival(i);
    if (on->status != ON)
      continue;
    guint life = (guint)g_ascii_strtoull(on->id + strlen("run-"), NULL, 10);
    if (i && world_count(ON, on->id) && world_last(ON, on->id) != on)
      continue; /* the last of its repeats */
    for (guint k = 0; k < run.n; k++)
      if (run.all[k].life == life && run.all[k].start > 0 && !world.drop_oldest) {
        gboolean after = FALSE;
        for (guint m = i; m < world.arrivals->len; m++)
          after |= world_arrival(m)->status == START && g_str_equal(world_arrival(m)->id, run.all[k].id);
        assert_true(after);
      }
  }
}

static void by_seed(guint32 seed) {
  run.n = 0;
  memset(run.on, 0, sizeof run.on);
  world_begin(seed);
  world.lose_percent = (guint)dice(25);
  if (seed % 4 > 1) { /* every second one has a small spool, every fourth drops the oldest record */
    world.max_records = 20 + (guint)dice(60);
    world.drop_oldest = seed % 4 == 3;
  }
  world.open_gate = dice(2);
  start_daemon();
  for (guint i = 0; i < STEPS; i++)
    step();
  come_to_an_end();
  for (guint i = 0; i < run.n; i++)
    check_session(&run.all[i]);
  check_order();
  check_on();
  run.packets += world.arrivals->len;
  world_end();
}

static void one_start_and_one_stop_for_each_session(void **state) {
  for (guint32 seed = first_seed; seed < first_seed + seeds; seed++) {
    run.seed = seed;
    by_seed(seed);
  }
  print_message("%u seeds: %" G_GUINT64_FORMAT " sessions, %" G_GUINT64_FORMAT " kills, %" G_GUINT64_FORMAT " records, %" G_GUINT64_FORMAT
                " repeats of them, %" G_GUINT64_FORMAT " packets in all; %" G_GUINT64_FORMAT
                " Starts were dropped where that was asked for\n",
                seeds, run.sessions, run.kills, run.records, run.repeats, run.packets, run.lost);
  assert_true(run.kills > 0 && run.repeats > 0);
}

static int say_the_seed(void **state) {
  if (run.seed != first_seed + seeds - 1)
    print_message("seed %u\n", run.seed);
  return 0;
}

int main(int argc, char **argv) {
  const struct CMUnitTest tests[] = {cmocka_unit_test_teardown(one_start_and_one_stop_for_each_session, say_the_seed)};
  if (argc > 1)
    first_seed = (guint32)g_ascii_strtoull(argv[1], NULL, 10);
  if (argc > 2)
    seeds = (guint32)g_ascii_strtoull(argv[2], NULL, 10);
  adit_logging_init(ADIT_LOG_ERROR);
  return cmocka_run_group_tests_name("accounting by seeds", tests, NULL, NULL);
}
