/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
#include "channel.h"

/** Distance from `b` to `a` on the circle of 65536 numbers: negative when `a` lies behind. */
static gint16 measure_distance(guint16 a, guint16 b) {
  return (gint16)(guint16)(a - b);
}

void l2tp_channel_init(L2tpChannel *channel) {
  memset(channel, 0, sizeof *channel);
  channel->peer_window = L2TP_WINDOW_DEFAULT;
  channel->cwnd = 1;
  channel->ssthresh = L2TP_WINDOW_DEFAULT;
}

static void items_free(L2tpItem **list) {
  while (*list) {
    L2tpItem *item = *list;
    *list = item->next;
    g_free(item);
  }
}

void l2tp_channel_clear(L2tpChannel *channel) {
  items_free(&channel->send);
  items_free(&channel->early);
  channel->send_octets = channel->early_octets = 0;
  channel->queued = channel->sent = channel->flight = 0;
}

void l2tp_channel_set_window(L2tpChannel *channel, guint16 window) {
  channel->peer_window = MAX(window, 1);
  channel->ssthresh = channel->peer_window;
}

static L2tpItem *item_new(guint16 ns, const guint8 *message, gsize length) {
  L2tpItem *item = g_malloc(sizeof *item + length);

  item->next = NULL;
  item->ns = ns;
  item->length = (guint16)length;
  memcpy(item->data, message, length);
  return item;
}

static void transmit_item(L2tpChannel *channel, const L2tpChannelEnv *env, L2tpItem *item) {
  l2tp_header_set_sequence(item->data, item->ns, channel->nr);
  channel->ack_due = FALSE;
  env->ops->transmit(env->user, item->data, item->length);
}

/** A message without body acknowledges, and takes no number: its Ns is the next one to be sent (RFC 2661 5.8). */
static void channel_send_zlb(L2tpChannel *channel, const L2tpChannelEnv *env) {
  guint8 buffer[L2TP_CONTROL_HEADER];
  AditBuilder b = adit_builder(buffer, sizeof buffer);
  guint16 ns = channel->send ? (guint16)(channel->send->ns + channel->sent) : channel->ns;

  l2tp_header_put(&b, channel->peer_tunnel, 0, ns, channel->nr);
  channel->ack_due = FALSE;
  env->ops->transmit(env->user, buffer, sizeof buffer);
}

static guint64 channel_interval(const L2tpChannelConfig *config, guint tries) {
  guint64 interval = (guint64)config->retry_ms << MIN(tries, 16);
  return MIN(interval, config->retry_cap_ms);
}

static void channel_arm(L2tpChannel *channel, const L2tpChannelEnv *env) {
  if (!channel->flight || (channel->unconfirmed && channel->tries >= env->config->unconfirmed_tries))
    adit_env_disarm(&env->engine, &channel->deadline, env->slot);
  else
    adit_env_arm(&env->engine, &channel->deadline, env->slot, channel_interval(env->config, channel->tries));
}

/** Sends what the window allows. */
static void channel_pump(L2tpChannel *channel, const L2tpChannelEnv *env) {
  guint window = MIN(channel->cwnd, channel->peer_window), at = 0;

  for (L2tpItem *item = channel->send; item && channel->flight < window; item = item->next, at++) {
    if (at < channel->flight)
      continue;
    channel->flight++;
    channel->sent = MAX(channel->sent, channel->flight);
    transmit_item(channel, env, item);
  }
  if (channel->flight && !channel->deadline)
    channel_arm(channel, env);
}

gboolean l2tp_channel_send(L2tpChannel *channel, const L2tpChannelEnv *env, const guint8 *message, gsize length) {
  L2tpItem **tail = &channel->send;

  if (channel->queued >= L2TP_QUEUE_MAX || length < L2TP_CONTROL_HEADER || length > L2TP_CONTROL_MAX)
    return FALSE;
  while (*tail)
    tail = &(*tail)->next;
  *tail = item_new(channel->ns++, message, length);
  channel->send_octets += (guint32)length;
  channel->queued++;
  channel_pump(channel, env);
  return TRUE;
}

/** The window grows by one for each acknowledgement at first, then by one for each window's worth (appendix A). */
static void channel_grow(L2tpChannel *channel) {
  if (channel->cwnd >= channel->peer_window)
    return;
  if (channel->cwnd < channel->ssthresh) {
    channel->cwnd++;
  } else if (++channel->cwnd_fraction >= channel->cwnd) {
    channel->cwnd++;
    channel->cwnd_fraction = 0;
  }
}

static void channel_acknowledged(L2tpChannel *channel, const L2tpChannelEnv *env, guint16 nr) {
  if (!channel->send)
    return;
  gint16 count = measure_distance(nr, channel->send->ns);
  if (count <= 0 || count > channel->sent) /* old, or of what was never sent */
    return;

  for (gint16 i = 0; i < count; i++) {
    L2tpItem *item = channel->send;
    channel->send = item->next;
    channel->send_octets -= item->length;
    g_free(item);
    channel_grow(channel);
  }
  channel->queued -= (guint16)count;
  channel->sent -= (guint16)count;
  channel->flight = channel->flight > count ? (guint16)(channel->flight - count) : 0;
  channel->tries = 0;
  channel->unconfirmed = FALSE;
  channel_arm(channel, env);
  channel_pump(channel, env);
}

/** Keeps a message that came before its turn, in order and once. */
static void channel_keep_early(L2tpChannel *channel, const L2tpChannelConfig *config, const L2tpHeader *header, const guint8 *message,
                               gsize length) {
  guint16 ns = header->ns;
  L2tpItem **at = &channel->early;

  length = MIN(length, (gsize)header->offset + header->length); /* what is behind the message is nothing */
  while (*at && measure_distance((*at)->ns, ns) < 0)
    at = &(*at)->next;
  if (*at && (*at)->ns == ns) {
    channel->duplicates++;
    return;
  }
  if (config->parked_octets && channel->early_octets + length > config->parked_octets) { /* it will be repeated */
    channel->dropped++;
    return;
  }
  L2tpItem *item = item_new(ns, message, length);
  item->session = header->session;
  item->offset = header->offset;
  channel->early_octets += (guint32)length;
  item->next = *at;
  *at = item;
}

void l2tp_channel_accept(L2tpChannel *channel) {
  channel->nr++;
  channel->ack_due = TRUE;
}

static void deliver_message(L2tpChannel *channel, const L2tpChannelEnv *env, const L2tpHeader *header, const guint8 *message) {
  if (channel->stopped)
    l2tp_channel_accept(channel);
  else
    env->ops->deliver(env->user, header, message);
}

/** Each message may cost an answer, which is kept until the peer acknowledges it. The peer retransmits messages that are dropped meanwhile.
 */
static gboolean channel_owes_too_much(const L2tpChannel *channel, const L2tpChannelConfig *config) {
  return config->unacked_octets && channel->send_octets >= config->unacked_octets;
}

/** The header of one that was kept, as far as its message needs it; each item has a stranger's octets to count. */
static L2tpHeader early_header(const L2tpItem *item, const L2tpHeader *now) {
  return (L2tpHeader){.control = TRUE,
                      .has_sequence = TRUE,
                      .tunnel = now->tunnel,
                      .session = item->session,
                      .ns = item->ns,
                      .nr = now->nr,
                      .offset = item->offset,
                      .length = (guint16)(item->length - item->offset)};
}

static void channel_take(L2tpChannel *channel, const L2tpChannelEnv *env, const L2tpHeader *header, const guint8 *message, gsize length) {
  gint16 ahead = measure_distance(header->ns, channel->nr);

  channel->ack_due = channel->ack_due || ahead != 0; /* duplicates, too, must be acknowledged */
  if (ahead < 0) {
    channel->duplicates++;
    if (channel->unconfirmed && channel->flight)
      transmit_item(channel, env, channel->send);
    return;
  }
  if (ahead > 0) {
    if (ahead < env->config->receive_window)
      channel_keep_early(channel, env->config, header, message, length);
    else
      channel->dropped++;
    return;
  }
  if (channel_owes_too_much(channel, env->config)) {
    channel->dropped++;
    return;
  }
  deliver_message(channel, env, header, message);
  while (channel->early && channel->early->ns == channel->nr) {
    L2tpItem *item = channel->early;
    channel->early = item->next;
    channel->early_octets -= item->length;
    if (channel_owes_too_much(channel, env->config)) {
      channel->dropped++;
    } else {
      L2tpHeader kept = early_header(item, header);
      deliver_message(channel, env, &kept, item->data);
    }
    g_free(item);
  }
}

void l2tp_channel_input(L2tpChannel *channel, const L2tpChannelEnv *env, const L2tpHeader *header, const guint8 *message, gsize length) {
  channel_acknowledged(channel, env, header->nr);
  if (header->length)
    channel_take(channel, env, header, message, length);
  if (channel->ack_due)
    channel_send_zlb(channel, env);
}

void l2tp_channel_timeout(L2tpChannel *channel, const L2tpChannelEnv *env) {
  if (!adit_env_due(&env->engine, &channel->deadline, env->slot) || !channel->flight)
    return;
  if (channel->tries >= env->config->tries) {
    if (!env->ops->dead(env->user))
      return;
    channel->tries = 0;
  }
  channel->tries++;
  channel->resent++;
  channel->ssthresh = MAX(channel->cwnd / 2, 1);
  channel->cwnd = 1;
  channel->cwnd_fraction = 0;
  channel->flight = 1; /* the others go again as the window opens */
  transmit_item(channel, env, channel->send);
  channel_arm(channel, env);
}

void l2tp_channel_drop_waiting(L2tpChannel *channel) {
  L2tpItem **at = &channel->send;

  for (guint i = 0; i < channel->sent; i++)
    at = &(*at)->next;
  while (*at) {
    L2tpItem *item = *at;
    *at = item->next;
    channel->send_octets -= item->length;
    g_free(item);
    channel->queued--;
    channel->ns--;
  }
}

gboolean l2tp_channel_idle(const L2tpChannel *channel) {
  return !channel->send;
}

guint64 l2tp_channel_cycle_ms(const L2tpChannelConfig *config) {
  guint64 sum = 0;

  for (guint i = 0; i <= config->tries; i++)
    sum += channel_interval(config, i);
  return sum;
}

/* ---- save and restore ---- */

static void items_save(const L2tpItem *item, AditBuilder *out) {
  for (; item; item = item->next) {
    adit_put_u16(out, item->length);
    adit_put_u16(out, item->ns);
    adit_put_bytes(out, item->data, item->length);
  }
  adit_put_u16(out, 0);
}

void l2tp_channel_save(const L2tpChannel *channel, AditBuilder *out) {
  const guint16 words[] = {channel->ns,       channel->nr,     channel->peer_window, channel->cwnd,  channel->cwnd_fraction,
                           channel->ssthresh, channel->flight, channel->sent,        channel->tries, channel->peer_tunnel};

  for (guint i = 0; i < G_N_ELEMENTS(words); i++)
    adit_put_u16(out, words[i]);
  adit_put_u8(out, (guint8)((channel->unconfirmed ? 1 : 0) | (channel->stopped ? 2 : 0) | (channel->ack_due ? 4 : 0)));
  adit_put_u64(out, channel->deadline);
  items_save(channel->send, out);
  items_save(channel->early, out);
}

/** Reads a list of rising numbers; returns how many there are, or -1. */
static gint items_restore(L2tpItem **list, AditCursor *in, guint limit) {
  guint count = 0;

  for (L2tpItem **at = list;; at = &(*at)->next) {
    guint16 length = adit_get_u16(in);
    if (in->bad)
      return -1;
    if (!length)
      return (gint)count;
    guint16 ns = adit_get_u16(in);
    const guint8 *data = adit_get_bytes(in, length);
    if (!data || length < L2TP_CONTROL_HEADER || length > L2TP_CONTROL_MAX || ++count > limit)
      return -1;
    L2tpHeader header;
    *at = item_new(ns, data, length);
    if (!l2tp_header_parse(&header, data, length))
      return -1;
    (*at)->session = header.session;
    (*at)->offset = header.offset;
  }
}

static guint32 items_octets(const L2tpItem *item) {
  guint32 octets = 0;

  for (; item; item = item->next)
    octets += item->length;
  return octets;
}

/** The queue ends at ns without gaps, the early ones lie ahead of nr, and the counts nest. */
static gboolean channel_sane(const L2tpChannel *channel) {
  guint16 ns = (guint16)(channel->ns - channel->queued), last = channel->nr;

  for (const L2tpItem *item = channel->send; item; item = item->next)
    if (item->ns != ns++)
      return FALSE;
  for (const L2tpItem *item = channel->early; item; item = item->next) {
    if (measure_distance(item->ns, last) <= 0)
      return FALSE;
    last = item->ns;
  }
  return channel->cwnd && channel->peer_window && channel->flight <= channel->sent && channel->sent <= channel->queued;
}

gboolean l2tp_channel_restore(L2tpChannel *channel, const L2tpChannelEnv *env, AditCursor *in) {
  guint16 *const words[] = {&channel->ns,       &channel->nr,     &channel->peer_window, &channel->cwnd,  &channel->cwnd_fraction,
                            &channel->ssthresh, &channel->flight, &channel->sent,        &channel->tries, &channel->peer_tunnel};

  for (guint i = 0; i < G_N_ELEMENTS(words); i++)
    *words[i] = adit_get_u16(in);
  guint8 flags = adit_get_u8(in);
  channel->unconfirmed = (flags & 1) != 0;
  channel->stopped = (flags & 2) != 0;
  channel->ack_due = (flags & 4) != 0;
  channel->deadline = adit_get_u64(in);

  gint queued = items_restore(&channel->send, in, L2TP_QUEUE_MAX);
  gint early = queued < 0 ? -1 : items_restore(&channel->early, in, env->config->receive_window);
  channel->queued = (guint16)MAX(queued, 0);
  channel->send_octets = items_octets(channel->send);
  channel->early_octets = items_octets(channel->early);
  if (early < 0 || !channel_sane(channel)) {
    l2tp_channel_clear(channel);
    channel->deadline = 0;
    return FALSE;
  }
  if (channel->deadline)
    env->engine.ops->wake(env->engine.host, env->slot, channel->deadline);
  return TRUE;
}
