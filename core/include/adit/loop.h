/* SPDX-License-Identifier: MIT */
/**
 * adit/loop.h - time, descriptors and blocking work for plugins: service "adit.loop".
 *
 * A timer, and a file that is read where it may block:
 *
 *     typedef struct {
 *       const AditLoopService *loop;
 *       AditTimer timer;
 *       gboolean is_read; // FALSE where the work was skipped
 *     } Mine;
 *
 *     static void read_file(gpointer data) { // on another thread
 *       Mine *mine = data;
 *       mine->is_read = g_file_test("/etc/hosts", G_FILE_TEST_EXISTS);
 *     }
 *
 *     static void file_was_read(gpointer data) { // on the main loop
 *       Mine *mine = data;
 *       mine->loop->timer_arm(&mine->timer, mine->is_read ? 60000 : 1000);
 *     }
 *
 *     static void timer_due(AditTimer *timer, gpointer data) {
 *       Mine *mine = data;
 *       if (!mine->loop->run_blocking(NULL, read_file, file_was_read, mine)) // in a plugin: what init() was given
 *         mine->loop->timer_arm(timer, 1000);
 *     }
 *
 *     static void start_reading(Mine *mine) {
 *       mine->timer.func = timer_due;
 *       mine->timer.data = mine;
 *       mine->loop->timer_arm(&mine->timer, 1000); // timer_cancel() before `mine` is freed
 *     }
 */
#pragma once

#include <adit/types.h>

G_BEGIN_DECLS

typedef struct AditTimer AditTimer;
typedef void (*AditTimerFunc)(AditTimer *timer, gpointer data);

/** A timer, embedded in what it serves; zero-initialise, set `func` and `data`, then arm. Costs nothing while idle. */
struct AditTimer {
  AditTimerFunc func;
  gpointer data;
  guint64 deadline;        /**< private; 0 while idle */
  AditTimer *next, **back; /**< private */
};

typedef struct AditWatch AditWatch;
/** `condition`: GIOCondition bits that are true. Return FALSE to be removed. */
typedef gboolean (*AditWatchFunc)(int fd, guint condition, gpointer data);

typedef void (*AditWorkFunc)(gpointer data);

#define ADIT_LOOP_SERVICE "adit.loop"
typedef struct {
  gsize size;
  guint64 (*now)(void); /**< [any] monotonic milliseconds, cached for a loop pass on the main thread */
  void (*timer_arm)(AditTimer *timer, guint64 delay_ms);                 /**< [main] re-arming moves it */
  void (*timer_cancel)(AditTimer *timer);                                /**< [main] harmless when idle */
  AditWatch *(*watch_add)(AditPlugin *plugin, int fd, guint condition, AditWatchFunc func, gpointer data); /**< [main] one epoll serves all */
  void (*watch_remove)(AditWatch *watch);                                /**< [main] safe inside any watch's callback */
  /** [main] Runs `work` on the plugin's bounded pool, then `done` on the main loop, exactly once. False when the queue is full.
   *  When the plugin is dropped, work that has not begun is skipped and `done` called: let the initial result mean failure. */
  gboolean (*run_blocking)(AditPlugin *plugin, AditWorkFunc work, AditWorkFunc done, gpointer data);
  /** [any] Calls `func` on the main loop, soon. */
  void (*call_main)(AditWorkFunc func, gpointer data);
  void (*random)(gpointer buffer, gsize length);                         /**< [any] unpredictable octets */
  /** [main] Says that much memory (some MiB) was freed in small pieces, which the C library would keep: what is free is returned to the
   *  system a moment later, on another thread, once in some seconds at most. May be absent: ADIT_HAS(loop, memory_freed). */
  void (*memory_freed)(void);
} AditLoopService;

G_END_DECLS
