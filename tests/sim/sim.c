/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/* sim [--seeds N] [--seed N [--verbose]]: many lives of a client and a server on a network that loses a fifth of all
 * packets, doubles some and reorders them, with engines killed and restored on the way. ADIT_SEEDS sets the number. */
#include "world.h"
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#define LOSSY_MS 120000
#define CALM_MS  120000
#define END_MS   240000
#define ENOUGH   0.99

typedef struct {
  guint64 seeds, wrong, carried, redialled, kills, failed;
  guint first_failed;
  char why[200];
} Tally;

/** Lives one life; NULL if all was well. */
static char *live(guint seed, gboolean verbose, Tally *tally) {
  World *world = world_new(seed, verbose);
  char *fault = NULL;

  world_run(world, LOSSY_MS);
  gboolean carried = world_carries(world, 15000);
  tally->seeds++;
  tally->wrong += world->wrong;
  tally->carried += carried && !world->wrong;
  tally->kills += world->kills;
  tally->redialled += world->client.numbers > 1;
  world_say(world, "the loss stops; %s so far", carried ? "data passes" : "no data");

  world->loss = world->twice = world->delay_ms = 0;
  world_run(world, CALM_MS);
  if (world_carries(world, 5000) == world->wrong)
    fault = g_strdup(world->wrong ? "data with a wrong password" : "no data although nothing is lost any more");

  if (seed % 4 == 3) /* goodbyes that get lost */
    world->loss = 20, world->delay_ms = 300;
  world_stop(world);
  world_run(world, END_MS);
  if (!fault)
    fault = world_rest(world);
  world_say(world, "the end%s%s", fault ? ": " : "", fault ? fault : "");
  world_free(world);
  return fault;
}

static void live_all(guint first, guint last, guint step, Tally *tally) {
  for (guint seed = first; seed < last; seed += step) {
    g_autofree char *fault = live(seed, FALSE, tally);
    if (!fault)
      continue;
    if (!tally->failed++) {
      tally->first_failed = seed;
      g_strlcpy(tally->why, fault, sizeof tally->why);
    }
    fprintf(stderr, "seed %u: %s\n", seed, fault);
  }
}

static void add(Tally *to, const Tally *from) {
  to->seeds += from->seeds;
  to->wrong += from->wrong;
  to->carried += from->carried;
  to->redialled += from->redialled;
  to->kills += from->kills;
  to->failed += from->failed;
}

/** One process for each processor: the lives have nothing to do with each other. */
static gboolean spread(guint seeds, Tally *total) {
  guint n = CLAMP(g_get_num_processors(), 1, 64);
  gboolean fine = TRUE;
  int pipes[64];

  for (guint i = 0; i < n; i++) {
    int ends[2];
    if (pipe(ends) != 0)
      return FALSE;
    pid_t child = fork();
    if (child == 0) {
      Tally tally = {0};
      close(ends[0]);
      live_all(i, seeds, n, &tally);
      gboolean written = write(ends[1], &tally, sizeof tally) == sizeof tally;
      exit(!written); /* with the leak check */
    }
    close(ends[1]);
    pipes[i] = ends[0];
  }
  for (guint i = 0; i < n; i++) {
    Tally tally;
    if (read(pipes[i], &tally, sizeof tally) == sizeof tally)
      add(total, &tally);
    else
      fine = FALSE;
    close(pipes[i]);
  }
  for (int status; wait(&status) > 0;)
    fine = fine && WIFEXITED(status) && WEXITSTATUS(status) == 0;
  return fine;
}

int main(int argc, char **argv) {
  const char *wanted = g_getenv("ADIT_SEEDS");
  gint seeds = wanted ? atoi(wanted) : 10000, seed = -1;
  gboolean verbose = FALSE;
  const GOptionEntry entries[] = {{"seeds", 0, 0, G_OPTION_ARG_INT, &seeds, "how many lives", "N"},
                                  {"seed", 0, 0, G_OPTION_ARG_INT, &seed, "only this one", "N"},
                                  {"verbose", 'v', 0, G_OPTION_ARG_NONE, &verbose, "tell everything that happens", NULL},
                                  {NULL}};
  g_autoptr(GOptionContext) context = g_option_context_new(NULL);
  g_autoptr(GError) error = NULL;
  Tally total = {0};

  g_option_context_add_main_entries(context, entries, NULL);
  if (!g_option_context_parse(context, &argc, &argv, &error)) {
    fprintf(stderr, "%s\n", error->message);
    return 2;
  }
  if (seed >= 0) {
    g_autofree char *fault = live((guint)seed, verbose, &total);
    printf("seed %d: %s\n", seed, fault ? fault : "fine");
    return fault != NULL;
  }

  gint64 began = g_get_monotonic_time();
  gboolean fine = spread((guint)MAX(seeds, 1), &total);
  double seconds = (double)(g_get_monotonic_time() - began) / 1e6;
  guint64 could = total.seeds - total.wrong;
  double rate = could ? (double)total.carried / (double)could : 1;
  printf("%" G_GUINT64_FORMAT " seeds, %" G_GUINT64_FORMAT " kills, %.1f s: %.3f %% carried data through 20 %% loss (%" G_GUINT64_FORMAT
         " redialled), %" G_GUINT64_FORMAT " refused for a wrong password, %" G_GUINT64_FORMAT " faults\n",
         total.seeds, total.kills, seconds, rate * 100, total.redialled, total.wrong, total.failed);
  return !fine || total.failed || rate < ENOUGH;
}
