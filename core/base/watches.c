/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/* Descriptors: one epoll descriptor serves all watches, and is one GSource to GLib. With one source each, GLib's poll() would walk over all
 * of them in each pass. */
#include "core/base/watches.h"
#include "core/base/hold.h"
#include "core/base/misuse.h"

#include <adit/log.h>
#include <errno.h>
#include <gio/gio.h>
#include <glib-unix.h>
#include <sys/epoll.h>
#include <unistd.h>

G_STATIC_ASSERT((int)G_IO_IN == EPOLLIN && (int)G_IO_OUT == EPOLLOUT && (int)G_IO_PRI == EPOLLPRI && (int)G_IO_ERR == EPOLLERR &&
                (int)G_IO_HUP == EPOLLHUP);

struct AditWatch {
  AditPlugin *plugin;
  int fd;
  AditWatchFunc func; /* NULL = removed; freed when no dispatch can hold it any more */
  gpointer data;
  GList node;
};

static struct {
  int epoll;
  GSource *source;
  GQueue all;     /* of AditWatch, alive */
  GQueue removed; /* of AditWatch, removed while events were being served */
  guint depth;    /* dispatches under way: a watch's function may run the main context */
} watches = {.epoll = -1};

static AditWatch *queue_pop(GQueue *queue) {
  GList *node = g_queue_pop_head_link(queue);
  return node ? node->data : NULL;
}

/* Its plugin may be dropped, and the watch with it, in the call. */
static gboolean call_watch(AditWatch *watch, guint condition) {
  const AditPlugin *plugin = watch->plugin;
  AditWatchFunc func = watch->func;
  gboolean stays;

  ADIT_HOLD(plugin, func, "a watch", stays = func(watch->fd, condition, watch->data));
  return stays;
}

static gboolean dispatch_watch(int fd, GIOCondition condition, gpointer data) {
  struct epoll_event events[ADIT_LOOP_WATCH_BUDGET];
  int n = epoll_wait(watches.epoll, events, G_N_ELEMENTS(events), 0);

  /* Further events wait for the next pass: epoll takes turns among the ready ones. */
  watches.depth++;
  for (int i = 0; i < n; i++) {
    AditWatch *watch = events[i].data.ptr;
    if (watch->func && !call_watch(watch, events[i].events))
      adit_watch_remove(watch);
  }
  if (--watches.depth == 0)
    for (AditWatch *watch; (watch = queue_pop(&watches.removed));)
      g_free(watch);
  return G_SOURCE_CONTINUE;
}

AditWatch *adit_watch_add(AditPlugin *plugin, int fd, guint condition, AditWatchFunc func, gpointer data) {
  ADIT_MAIN_ONLY("adit.loop watch_add", NULL);
  if (!func) {
    adit_misuse(plugin, "watch_add() without a function");
    return NULL;
  }
  AditWatch *watch = g_new0(AditWatch, 1);
  struct epoll_event event = {.events = condition, .data.ptr = watch};

  *watch = (AditWatch){.plugin = plugin, .fd = fd, .func = func, .data = data, .node.data = watch};
  if (epoll_ctl(watches.epoll, EPOLL_CTL_ADD, fd, &event) < 0) {
    adit_error(NULL, "%s: cannot watch descriptor %d: %s", adit_plugin_name(plugin), fd, g_strerror(errno));
    g_free(watch);
    return NULL;
  }
  g_queue_push_tail_link(&watches.all, &watch->node);
  return watch;
}

void adit_watch_remove(AditWatch *watch) {
  ADIT_MAIN_ONLY("adit.loop watch_remove");
  if (!watch || !watch->func)
    return;
  epoll_ctl(watches.epoll, EPOLL_CTL_DEL, watch->fd, NULL);
  watch->func = NULL;
  g_queue_unlink(&watches.all, &watch->node);
  if (watches.depth)
    g_queue_push_tail_link(&watches.removed, &watch->node);
  else
    g_free(watch);
}

void adit_watches_drop(AditPlugin *plugin) {
  for (GList *node = watches.all.head, *next; node; node = next) {
    AditWatch *watch = node->data;
    next = node->next;
    if (watch->plugin == plugin)
      adit_watch_remove(watch);
  }
}

void adit_watches_init(void) {
  watches.epoll = epoll_create1(EPOLL_CLOEXEC);
  if (watches.epoll < 0)
    g_error("epoll_create1: %s", g_strerror(errno));
  watches.source = g_unix_fd_source_new(watches.epoll, G_IO_IN);
  g_source_set_static_name(watches.source, "adit-watches");
  g_source_set_callback(watches.source, G_SOURCE_FUNC(dispatch_watch), NULL, NULL);
  /* Else GLib takes its descriptor out of poll() for each dispatch and puts it back, and wakes this thread for both. */
  g_source_set_can_recurse(watches.source, TRUE);
  g_source_attach(watches.source, NULL);
}

void adit_watches_fini(void) {
  while (watches.all.head)
    adit_watch_remove(watches.all.head->data);
  g_source_destroy(watches.source);
  g_clear_pointer(&watches.source, g_source_unref);
  close(watches.epoll);
  watches.epoll = -1;
}
