/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/* The commands of failed logins. */
#include "core/aaa/aaa.h"
#include "core/control/commands.h"
#include "core/control/control.h"

static const char description[] = "# Logins: how many, and which sources fail.\n"
                                  "interface io.adit.aaa\n"
                                  "\n"
                                  "method GetCounters() -> (counters: object)\n"
                                  "# Sources (and users there) that have failed lately, are locked out or wait; at most a thousand.\n"
                                  "method ListFailing() -> (sources: []object)\n"
                                  "# Ends lockouts. `source`: an address or a prefix. `count`: how many records were forgiven something.\n"
                                  "method Forgive(source: string) -> (count: int)\n";

static void get_counters(gpointer state, AditCall *call, const AditValue *parameters) {
  AditValue *result = adit_value_map();
  adit_value_set(result, "counters", adit_aaa_login_counters());
  adit_control_service()->reply(call, result, FALSE);
}

static void list_failing(gpointer state, AditCall *call, const AditValue *parameters) {
  adit_control_reply_list(call, "sources", adit_aaa_sources_failing());
}

static void forgive_source(gpointer state, AditCall *call, const AditValue *parameters) {
  const char *text = adit_value_get_string(parameters, "source", "");
  AditPrefix source;

  if (!adit_prefix_parse(text, &source)) {
    adit_control_service()->error(call, "org.varlink.service.InvalidParameter",
                                  "parameter \"source\" must be an address or a prefix, such as 192.0.2.1 or 2001:db8::/48");
    return;
  }
  AditValue *result = adit_value_map();
  adit_value_set(result, "count", adit_value_int(adit_aaa_forgive(&source)));
  adit_control_service()->reply(call, result, FALSE);
}

static const AditMethod methods[] = {
    {.size = sizeof(AditMethod), .name = "GetCounters", .call = get_counters},
    {.size = sizeof(AditMethod), .name = "ListFailing", .call = list_failing},
    {.size = sizeof(AditMethod), .name = "Forgive", .changes = TRUE, .call = forgive_source},
};

static const AditCommand commands[] = {
    {.size = sizeof(AditCommand),
     .verb = "show aaa",
     .method = "io.adit.aaa.GetCounters",
     .summary = "show counters of logins",
     .help = "Counters since the start: `logins` attempts; `delayed` attempts that waited; `refused` attempts that no source was asked "
             "for, because of failed logins (`aaa: { login-guard }`)."},
    {.size = sizeof(AditCommand),
     .verb = "show logins",
     .method = "io.adit.aaa.ListFailing",
     .rows = "sources",
     .columns = "SOURCE=source USER=user STATE=state FAILED=failures LOCKED=locked:duration RUNNING=running WAITING=waiting",
     .summary = "list hosts and users with failed logins",
     .help = "One line for each user of a host, host, and network with failed logins that still count. LOCKED is for how much longer it is "
             "locked out. `aditctl forgive ADDRESS` ends a lockout."},
    {.size = sizeof(AditCommand),
     .verb = "forgive",
     .method = "io.adit.aaa.Forgive",
     .arguments = "source",
     .summary = "end the lockouts of an address",
     .help =
         "Forgets the failed logins of an address or a prefix, of the network around it and of its users: `aditctl forgive 192.0.2.7`."},
};

gboolean adit_control_aaa_commands(GError **error) {
  return adit_control_service()->interface_add(NULL, description, methods, G_N_ELEMENTS(methods), commands, G_N_ELEMENTS(commands), NULL,
                                               error);
}
