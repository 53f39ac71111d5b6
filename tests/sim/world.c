/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
#include "world.h"

#include "plugins-auth/chap/chap.h"
#include "plugins-auth/mschap/mschap.h"
#include "plugins-auth/pap/pap.h"

void world_say(const World *world, const char *format, ...) {
  va_list args;
  if (!world->verbose)
    return;
  va_start(args, format);
  g_autofree char *text = g_strdup_vprintf(format, args);
  va_end(args);
  g_print("%9.3f %s\n", (double)world->now / 1000, text);
}

guint world_chance(World *world, guint below) {
  return (guint)g_rand_int_range(world->rand, 0, (gint)below);
}

/* ---- the network ---- */

typedef struct {
  AditTimer timer;
  GList link; /* of world->air */
  Host *to;
  gsize length;
  guint8 data[];
} Packet;

static Line *line_by_id(Host *host, guint16 id) {
  for (guint i = 0; i < host->lines->len; i++) {
    Line *line = host->lines->pdata[i];
    if (line->tunnel.local == id)
      return line;
  }
  return NULL;
}

static guint16 free_id(Host *host) {
  guint16 id;
  do
    id = (guint16)(1 + world_chance(host->world, 65535));
  while (line_by_id(host, id));
  return id;
}

/** The tunnel that a SCCRQ has made already, if it is a repeat; else a new one. */
static Line *line_of_sccrq(Host *host, const L2tpHeader *header, const guint8 *datagram) {
  const L2tpParse how = {.secret = host->config.secret};
  g_autofree L2tpMessage *message = g_new(L2tpMessage, 1);
  l2tp_message_parse(message, &how, datagram + header->offset, header->length);
  if (host->client || message->type != 1 || message->verdict != L2TP_VERDICT_OK)
    return NULL;
  guint64 peer = l2tp_message_number(message, 9);
  for (guint i = 0; i < host->lines->len; i++) {
    Line *line = host->lines->pdata[i];
    if (line->tunnel.peer == peer)
      return line;
  }
  return line_new(host, free_id(host));
}

static void receive(Host *host, const guint8 *datagram, gsize length) {
  L2tpHeader header;
  if (!l2tp_header_parse(&header, datagram, length))
    return;

  Line *line = header.tunnel                     ? line_by_id(host, header.tunnel)
               : header.control && header.length ? line_of_sccrq(host, &header, datagram)
                                                 : NULL;
  if (!line)
    return;
  if (header.control)
    l2tp_tunnel_input(&line->tunnel, &line->tunnel_env, &header, datagram, length);
  else if (header.session && header.session == line->session)
    line_data(line, datagram + header.offset, header.length);
  line_tidy(line);
}

static void on_arrival(AditTimer *timer, gpointer data) {
  Packet *packet = data;
  g_queue_unlink(&packet->to->world->air, &packet->link);
  receive(packet->to, packet->data, packet->length);
  g_free(packet);
}

static void throw(World * world, Host *to, const guint8 *datagram, gsize length) {
  if (world->loss && world_chance(world, 100) < world->loss)
    return;
  Packet *packet = g_malloc0(sizeof *packet + length);
  packet->timer.func = on_arrival;
  packet->timer.data = packet;
  packet->link.data = packet;
  packet->to = to;
  packet->length = length;
  memcpy(packet->data, datagram, length);
  g_queue_push_tail_link(&world->air, &packet->link);
  adit_wheel_arm(world->wheel, &packet->timer, world->now + 1 + (world->delay_ms ? world_chance(world, world->delay_ms) : 0));
}

static void show(const Host *from, const guint8 *datagram, gsize length) {
  GString *hex = g_string_new(NULL);
  for (gsize i = 0; i < length; i++)
    g_string_append_printf(hex, "%02x", datagram[i]);
  world_say(from->world, "%s > %s", from->name, hex->str);
  g_string_free(hex, TRUE);
}

void host_transmit(Host *from, const guint8 *datagram, gsize length) {
  World *world = from->world;
  Host *to = from->client ? &world->server : &world->client;
  if (world->verbose)
    show(from, datagram, length);
  throw(world, to, datagram, length);
  if (world->twice && world_chance(world, 100) < world->twice)
    throw(world, to, datagram, length);
}

/* ---- what hosts do ---- */

static gboolean is_working(const Host *host) {
  for (guint i = 0; i < host->lines->len; i++)
    if (!((Line *)host->lines->pdata[i])->down)
      return TRUE;
  return FALSE;
}

/** The client dials whenever it has nothing that stands or may come to stand. */
static void on_redial(AditTimer *timer, gpointer data) {
  Host *host = data;
  World *world = host->world;
  if (!is_working(host))
    line_dial(line_new(host, free_id(host)));
  adit_wheel_arm(world->wheel, timer, world->now + 2000 + world_chance(world, 3000));
}

static void on_traffic(AditTimer *timer, gpointer data) {
  Host *host = data;
  for (guint i = 0; i < host->lines->len; i++)
    line_send_traffic(host->lines->pdata[i]);
  adit_wheel_arm(host->world->wheel, timer, host->world->now + 1000);
}

static void on_kill(AditTimer *timer, gpointer data) {
  World *world = data;
  Host *host = world_chance(world, 2) ? &world->client : &world->server;
  world_say(world, "%s is killed and restored", host->name);
  for (guint i = 0; i < host->lines->len; i++)
    line_reincarnate(host->lines->pdata[i]);
  world->kills++;
  /* often while things are being negotiated, seldom later */
  guint64 next = world->now + 1 + world_chance(world, world->now < 20000 ? 4000 : 60000);
  if (next < world->kill_until)
    adit_wheel_arm(world->wheel, timer, next);
}

/* ---- life ---- */

static void host_init(World *world, Host *host, const char *name, gboolean client) {
  host->world = world;
  host->name = name;
  host->client = client;
  host->lines = g_ptr_array_new();
  l2tp_tunnel_config_init(&host->config);
  host->config.host_name = name;
  host->config.hello_ms = 20000;
  host->traffic = (AditTimer){.func = on_traffic, .data = host};
  host->redial = (AditTimer){.func = on_redial, .data = host};
  host->password = "correct horse";
  adit_wheel_arm(world->wheel, &host->traffic, world->now + 1 + world_chance(world, 1000));
}

/** What this pair agrees on, or has to find out. */
static void configure(World *world) {
  static const AditAuthMethod *const methods[] = {&pap_method, &chap_method, &mschap1_method, &mschap2_method};
  AditPppLinkParams *server = &world->server.params, *client = &world->client.params;
  guint one = world_chance(world, 4);
  gboolean picky_server = world_chance(world, 2), picky_client = world_chance(world, 2);

  server->demand = picky_server ? &methods[one] : methods;
  server->n_demand = picky_server ? 1 : 4;
  client->answer = picky_client ? &methods[one] : methods;
  client->n_answer = picky_client ? 1 : 4;
  client->user = "alice";
  client->password = world->wrong ? "wrong" : "correct horse";
  server->name = "server";
  server->keepalive_ms = 30000;
  client->keepalive_ms = 60000;
  server->mru = client->mru = world_chance(world, 2) ? 1450 : 1500;
  server->identification = world_chance(world, 2) ? "sim" : NULL;
  if (world_chance(world, 2)) {
    world->server.config.secret = world->client.config.secret = "tunnel";
    world->server.config.demand_auth = TRUE;
    world->client.config.demand_auth = world_chance(world, 2) != 0;
    world->server.config.hide = world->client.config.hide = world_chance(world, 2) != 0;
  }
}

World *world_new(guint seed, gboolean verbose) {
  World *world = g_new0(World, 1);
  world->now = 1;
  world->seed = seed;
  world->verbose = verbose;
  world->rand = g_rand_new_with_seed(seed);
  world->wheel = adit_wheel_new(world->now);
  g_queue_init(&world->air);
  world->wrong = seed % 50 == 49;
  world->killer = (AditTimer){.func = on_kill, .data = world};
  host_init(world, &world->client, "client", TRUE);
  host_init(world, &world->server, "server", FALSE);
  configure(world);
  world->loss = 20;
  world->twice = 10;
  world->delay_ms = 300;
  adit_wheel_arm(world->wheel, &world->client.redial, world->now + 1);
  world->kill_until = 100000;
  adit_wheel_arm(world->wheel, &world->killer, world->now + 1 + world_chance(world, 5000));
  return world;
}

static void host_clear(Host *host) {
  for (guint i = 0; i < host->lines->len; i++)
    line_free(host->lines->pdata[i]);
  g_ptr_array_unref(host->lines);
}

void world_free(World *world) {
  while (world->air.head) {
    Packet *packet = world->air.head->data;
    g_queue_unlink(&world->air, &packet->link);
    adit_wheel_cancel(world->wheel, &packet->timer);
    g_free(packet);
  }
  host_clear(&world->client);
  host_clear(&world->server);
  adit_wheel_free(world->wheel);
  g_rand_free(world->rand);
  g_free(world);
}

void world_run(World *world, guint64 ms) {
  guint64 until = world->now + ms;
  for (guint64 next; (next = adit_wheel_next(world->wheel)) && next <= until;) {
    world->now = MAX(world->now, next);
    adit_wheel_advance(world->wheel, world->now);
  }
  world->now = until;
  adit_wheel_advance(world->wheel, until);
}

gboolean world_carries(const World *world, guint64 ms) {
  return world->client.last_data + ms > world->now && world->server.last_data + ms > world->now;
}

void world_stop(World *world) {
  Host *host = world->seed & 1 ? &world->server : &world->client;
  adit_wheel_cancel(world->wheel, &world->client.redial);
  adit_wheel_cancel(world->wheel, &world->client.traffic);
  adit_wheel_cancel(world->wheel, &world->server.traffic);
  world_say(world, "%s ends it", host->name);
  for (guint i = host->lines->len; i-- > 0;) {
    Line *line = host->lines->pdata[i];
    line_hang_up(line, "that is all");
    line_tidy(line);
  }
}

char *world_rest(const World *world) {
  guint client = world->client.lines->len, server = world->server.lines->len, timers = adit_wheel_count(world->wheel);
  if (!client && !server && !timers && !world->air.length && world->client.links == world->client.ends &&
      world->server.links == world->server.ends)
    return NULL;
  return g_strdup_printf("left over: %u+%u tunnels, %u timers, %u packets; links %u-%u and %u-%u", client, server, timers,
                         world->air.length, world->client.links, world->client.ends, world->server.links, world->server.ends);
}
