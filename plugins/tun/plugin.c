/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
#include "dp.h"
#include "port/port.h"
#include "session/tun-link.h"
#include <adit/adit.h>
#include <errno.h>
#include <linux/capability.h>
#include <unistd.h>

typedef struct {
  TunDp *dp;
  const AditControlService *control;
  void (*stopped)(AditPlugin *plugin);
} TunPlugin;

static const AditOption options[] = {
#define ADIT_OPTION_ROW ADIT_OPTION_ENTRY
#include "options.def"
#undef ADIT_OPTION_ROW
};
#define ADIT_OPTION_ROW ADIT_OPTION_ACCESSOR
#include "options.def"
#undef ADIT_OPTION_ROW

static const char interface[] = "# What the data path `tun` does.\n"
                                "interface io.adit.tun\n"
                                "\n"
                                "# Counters of each worker thread since the start.\n"
                                "method Describe() -> (workers: []object, links: int, ports: int)\n"
                                "\n"
                                "# The links that it carries: `link` and `session` are the ids that io.adit.session tells.\n"
                                "method ListLinks() -> (links: []object)\n";

static const AditCommand commands[] = {
    {
        .size = sizeof(AditCommand),
        .verb = "show datapath",
        .method = "io.adit.tun.Describe",
        .rows = "workers",
        .columns =
            "WORKER=worker IN=datagrams-in READS=reads GRO=gro OUT=datagrams-out SENDS=sends GSO=gso FROM-TUN=packets-in SUPER=super-in "
            "TO-TUN=packets-out JOINED=joined-out FOREIGN=foreign UNKNOWN=unknown MALFORMED=malformed STRAY=stray SPOOFED=spoofed "
            "LOOPED=looped FULL=main-full FALLBACKS=gso-refused",
        .summary = "show counters of the data path",
        .help = "One line for each worker. GRO and GSO count merged datagrams, received and sent. If they remain 0 under load, the kernel "
                "or the "
                "peer does not support it, and throughput drops to a third. FULL, STRAY, SPOOFED, LOOPED and UNKNOWN are drops: SPOOFED "
                "packets "
                "have a source that is not the session's (see `source-check`), LOOPED packets were for the endpoint of a tunnel, through a "
                "session "
                "that has the endpoint's address or a route to it.\n"
                "Example: aditctl show datapath --json",
    },
    {
        .size = sizeof(AditCommand),
        .verb = "show datapath-links",
        .method = "io.adit.tun.ListLinks",
        .rows = "links",
        .columns = "LINK=link SESSION=session PEER=peer GATE=gate WORKER=worker RX=rx-packets TX=tx-packets DROPS=drops LOST=lost "
                   "REORDERED=reordered",
        .summary = "show the links that the data path carries",
        .help = "One line for each link. SESSION is the ID of `show sessions`. GATE is the worker that receives the link's frames, WORKER "
                "the one that "
                "handles them: they differ for a link that has joined a session on another worker.\n"
                "Example: aditctl show datapath-links --json",
    }};

static void call_describe(gpointer state, AditCall *call, const AditValue *parameters) {
  TunPlugin *self = state;
  self->control->reply(call, tun_dp_describe(self->dp), FALSE);
}

static void collect_serial(TunItem *item, gpointer ids) {
  g_array_append_val((GArray *)ids, item->key);
}

static AditValue *link_row(gpointer state, guint64 serial) {
  AditDpLink *link = tun_link_find(((TunPlugin *)state)->dp, serial);
  return link ? tun_link_describe(link) : NULL;
}

static void call_list_links(gpointer state, AditCall *call, const AditValue *parameters) {
  TunPlugin *self = state;
  GArray *serials = g_array_new(FALSE, FALSE, sizeof(guint64));
  tun_table_foreach(&self->dp->links, collect_serial, serials);
  adit_control_reply_ids(self->control, call, "links", serials, link_row, self);
}

static const AditMethod methods[] = {{.size = sizeof(AditMethod), .name = "Describe", .call = call_describe},
                                     {.size = sizeof(AditMethod), .name = "ListLinks", .call = call_list_links}};

static gboolean plugin_init(AditPlugin *plugin, const AditHost *host, gpointer *state, GError **error) {
  const AditLoopService *loop = host->service(plugin, ADIT_LOOP_SERVICE, 1);
  const AditNetService *net = host->service(plugin, ADIT_NET_SERVICE, 1);
  const AditPathService *path = host->service(plugin, ADIT_PATH_SERVICE, 1);
  if (!loop || !net || !path) {
    g_set_error(error, ADIT_ERROR, ADIT_ERR_UNSUPPORTED, "needs services %s, %s and %s", ADIT_LOOP_SERVICE, ADIT_NET_SERVICE,
                ADIT_PATH_SERVICE);
    return FALSE;
  }
  TunPlugin *self = g_new0(TunPlugin, 1);
  self->dp = tun_dp_new(loop, net, plugin);
  self->dp->is_association = ADIT_HAS(path, association_is_known) ? path->association_is_known : NULL;
  if (ADIT_HAS(host, secret_free)) {
    self->dp->secret_new = host->secret_new;
    self->dp->secret_free = host->secret_free;
  }
  self->control = host->service(plugin, ADIT_CONTROL_SERVICE, 1);
  *state = self;
  if (self->control &&
      !self->control->interface_add(plugin, interface, methods, G_N_ELEMENTS(methods), commands, G_N_ELEMENTS(commands), self, error))
    return FALSE;
  return path->datapath_add(plugin, &tun_datapath_ops, self->dp, error);
}

/* Both options are for the start, before the transports open their listeners; later they need another one. */
static gboolean plugin_prepare(gpointer state, const AditValue *config, gpointer *staged, gboolean *pending, AditPrepared done,
                               GError **error) {
  TunPlugin *self = state;
  const AditValue *own = tun_option(config);
  TunConfig wanted = {.workers = (guint)tun_option_workers(own), .offload = tun_option_offload(own)};
  return tun_dp_setup(self->dp, &wanted, error);
}

static void plugin_commit(gpointer state, gpointer staged) {}

static void plugin_abort(gpointer state, gpointer staged) {}

/* Sessions would fail one by one, each with its peer waiting: better said at the start. */
static gboolean try_device(const TunDp *dp, GError **error) {
  int fd = tun_device_open(dp->net);
  if (fd < 0) {
    int why = errno;
    g_set_error(
        error, ADIT_ERROR, ADIT_ERR_SYSTEM, "/dev/net/tun: %s: %s", g_strerror(why),
        why == EACCES || why == EPERM
            ? "the user that aditd runs as needs to read and write it: chmod 666 /dev/net/tun, as udev does, or DeviceAllow= in the unit"
            : "load the module (modprobe tun); a container needs --device /dev/net/tun");
    return FALSE;
  }
  close(fd);
  return TRUE;
}

static gboolean plugin_start(gpointer state, GError **error) {
  TunPlugin *self = state;
  return try_device(self->dp, error) && tun_dp_start(self->dp, &(TunConfig){.offload = TRUE}, error);
}

static void on_stopped(gpointer data) {
  TunPlugin *self = data;
  self->stopped(self->dp->plugin);
}

static void plugin_stop(gpointer state, void (*done)(AditPlugin *plugin), AditPlugin *plugin) {
  TunPlugin *self = state;
  self->stopped = done;
  tun_dp_stop(self->dp, on_stopped, self);
}

static void plugin_fini(gpointer state) {
  TunPlugin *self = state;
  if (!self)
    return;
  tun_dp_free(self->dp);
  g_free(self);
}

static const AditFeature features[] = {{ADIT_PROVIDES, "datapath:tun"}};

ADIT_PLUGIN_DEFINE(tun, .name = "tun", .version = ADIT_VERSION, .summary = "data path: TUN interfaces with offloads", .features = features,
                   .n_features = G_N_ELEMENTS(features), .options = options, .n_options = G_N_ELEMENTS(options),
                   .capabilities = G_GUINT64_CONSTANT(1) << CAP_NET_ADMIN, .init = plugin_init, .start = plugin_start,
                   .prepare = plugin_prepare, .commit = plugin_commit, .abort = plugin_abort, .stop = plugin_stop, .fini = plugin_fini);
