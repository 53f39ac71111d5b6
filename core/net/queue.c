/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
#include "config.h"

#include "core/base/loop.h"
#include "core/net/queue.h"
#include "core/net/watch.h"

#include <errno.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum { COMPLETIONS = 256 /* in one go on the main loop */, WATCH_EVERY = 8 /* batches */ };

static struct {
  AditRtnl *rtnl; /* the thread's */
  GThread *thread;
  GMutex lock;
  GQueue gathered;          /* of AditNetJob, by `node`: this pass's. Main loop's */
  GQueue waiting, finished; /* of AditNetJob, by `node`; behind lock, as the next ones */
  gboolean quit, idle, drain_queued;
  int wake_fd;
  guint batches; /* the thread's */
} net = {.wake_fd = -1};

/* ---- completions, on the main loop ---- */

static void finish_job(AditNetJob *job) {
  for (guint i = 0; i < job->n_parts; i++)
    g_clear_pointer(&job->part[i].msg, nlmsg_free);
  job->done(job);
}

/* Calls up to `max` completions; TRUE when none is left. */
static gboolean complete_jobs(guint max) {
  for (guint i = 0; i < max; i++) {
    g_mutex_lock(&net.lock);
    GList *node = g_queue_pop_head_link(&net.finished);
    g_mutex_unlock(&net.lock);
    if (!node)
      return TRUE;
    finish_job(node->data);
  }
  return FALSE;
}

static void drain_jobs(gpointer data) {
  g_mutex_lock(&net.lock);
  net.drain_queued = FALSE;
  g_mutex_unlock(&net.lock);
  if (complete_jobs(COMPLETIONS))
    return;
  g_mutex_lock(&net.lock);
  gboolean again = net.finished.length && !net.drain_queued;
  net.drain_queued |= again;
  g_mutex_unlock(&net.lock);
  if (again)
    adit_call_main(drain_jobs, NULL);
}

/* From any thread. */
static void push_finished(AditNetJob *job) {
  g_mutex_lock(&net.lock);
  g_queue_push_tail_link(&net.finished, &job->node);
  gboolean wake = !net.drain_queued;
  net.drain_queued = TRUE;
  g_mutex_unlock(&net.lock);
  if (wake)
    adit_call_main(drain_jobs, NULL);
}

/* ---- the network thread ---- */

/* On the network thread: the main loop is woken once for a batch. */
static void finished_all(GQueue *jobs) {
  g_mutex_lock(&net.lock);
  for (GList *node; (node = g_queue_pop_head_link(jobs));)
    g_queue_push_tail_link(&net.finished, node);
  gboolean wake = net.finished.length && !net.drain_queued;
  net.drain_queued |= wake;
  g_mutex_unlock(&net.lock);
  if (wake)
    adit_call_main(drain_jobs, NULL);
}

static void settle_job(AditNetJob *job, GQueue *done) {
  for (guint i = 0; i < job->n_parts && !job->error; i++)
    job->error = job->part[i].error;
  if (job->follow)
    job->follow(job, net.rtnl);
  g_queue_push_tail_link(done, &job->node);
}

static void flush_parts(GPtrArray *jobs, GPtrArray *parts) {
  adit_rtnl_batch(net.rtnl, (AditRtnlPart **)parts->pdata, parts->len);
  GQueue done = G_QUEUE_INIT;
  for (guint i = 0; i < jobs->len; i++)
    settle_job(jobs->pdata[i], &done);
  finished_all(&done);
  g_ptr_array_set_size(jobs, 0);
  g_ptr_array_set_size(parts, 0);
  if (++net.batches % WATCH_EVERY == 0)
    adit_watcher_read(net.rtnl);
}

static void work_off(GQueue *queue) {
  g_autoptr(GPtrArray) jobs = g_ptr_array_new(), parts = g_ptr_array_new();
  for (GList *node; (node = g_queue_pop_head_link(queue));) {
    AditNetJob *job = node->data;
    if (parts->len && (!job->n_parts || parts->len + job->n_parts > ADIT_RTNL_BATCH))
      flush_parts(jobs, parts);
    if (!job->n_parts) {
      GQueue done = G_QUEUE_INIT;
      settle_job(job, &done);
      finished_all(&done);
      continue;
    }
    g_ptr_array_add(jobs, job);
    for (guint i = 0; i < job->n_parts; i++)
      g_ptr_array_add(parts, &job->part[i]);
  }
  if (parts->len)
    flush_parts(jobs, parts);
}

/* Until there is work; changes of other programs are read meanwhile. */
static void wait_for_work(void) {
  struct pollfd watched[] = {{.fd = net.wake_fd, .events = POLLIN}, {.fd = adit_watcher_fd(), .events = POLLIN}};
  guint64 count;
  if (poll(watched, G_N_ELEMENTS(watched), -1) < 0)
    return;
  if (watched[0].revents && read(net.wake_fd, &count, sizeof count) < 0 && errno != EAGAIN)
    g_warning("eventfd: %s", g_strerror(errno));
  if (watched[1].revents)
    adit_watcher_read(net.rtnl);
}

static gpointer net_thread(gpointer data) {
  g_mutex_lock(&net.lock);
  for (;;) {
    while (!net.waiting.length && !net.quit) {
      net.idle = TRUE;
      g_mutex_unlock(&net.lock);
      wait_for_work();
      g_mutex_lock(&net.lock);
      net.idle = FALSE;
    }
    if (!net.waiting.length)
      break;
    GQueue mine = net.waiting;
    g_queue_init(&net.waiting);
    g_mutex_unlock(&net.lock);
    work_off(&mine);
    g_mutex_lock(&net.lock);
  }
  g_mutex_unlock(&net.lock);
  return NULL;
}

/* ---- jobs, on the main loop ---- */

void adit_net_job_add(AditNetJob *job, struct nl_msg *message, int forgive1, int forgive2) {
  g_assert(job->n_parts < ADIT_NET_PARTS);
  job->part[job->n_parts++] = (AditRtnlPart){.msg = message, .forgive = {forgive1, forgive2}};
}

const char *adit_net_job_text(const AditNetJob *job) {
  for (guint i = 0; i < job->n_parts; i++)
    if (job->part[i].error)
      return job->part[i].text;
  return "";
}

/* With the lock held; once for each time that the thread sleeps. */
static void wake_thread(void) {
  const guint64 one = 1;
  if (net.idle && write(net.wake_fd, &one, sizeof one) < 0)
    g_warning("eventfd: %s", g_strerror(errno));
  net.idle = FALSE;
}

/* With the lock held. */
static void hand_over_gathered(void) {
  for (GList *node; (node = g_queue_pop_head_link(&net.gathered));)
    g_queue_push_tail_link(&net.waiting, node);
  wake_thread();
}

static void hand_over(gpointer data) {
  g_mutex_lock(&net.lock);
  hand_over_gathered();
  g_mutex_unlock(&net.lock);
}

/* The thread hears of the jobs of a pass of the loop together: it asks the kernel for many in one message, and does not run in between. */
void adit_net_submit(AditNetJob *job) {
  job->node = (GList){.data = job};
  if (!net.thread) {
    job->error = ESHUTDOWN;
    push_finished(job);
    return;
  }
  g_queue_push_tail_link(&net.gathered, &job->node);
  if (net.gathered.length == 1)
    adit_call_main(hand_over, NULL);
}

/* ---- life ---- */

gboolean adit_net_queue_open(AditRtnl *rtnl, GError **error) {
  net.wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (net.wake_fd < 0) {
    g_set_error(error, ADIT_ERROR, ADIT_ERR_SYSTEM, "eventfd: %s", g_strerror(errno));
    return FALSE;
  }
  net.rtnl = rtnl;
  net.quit = FALSE;
  net.thread = g_thread_new("adit-net", net_thread, NULL);
  return TRUE;
}

gboolean adit_net_queue_is_open(void) {
  return net.thread != NULL;
}

void adit_net_queue_quiesce(void) {
  if (net.thread) {
    g_mutex_lock(&net.lock);
    net.quit = TRUE;
    hand_over_gathered();
    g_mutex_unlock(&net.lock);
    g_thread_join(net.thread);
    net.thread = NULL;
    close(net.wake_fd);
    net.wake_fd = -1;
  }
  complete_jobs(G_MAXUINT);
}
