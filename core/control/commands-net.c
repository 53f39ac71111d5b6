/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/* The commands of claims on the kernel. */
#include "core/control/commands.h"
#include "core/control/control.h"
#include "core/net/claims/claims.h"

static const char description[] =
    "# What the daemon keeps in the kernel, and for whom.\n"
    "interface io.adit.net\n"
    "\n"
    "# Addresses, routes and interfaces: `object`, `interface`, `claimant`, `state` (pending, installed, waiting,\n"
    "# blocked, refused, lost), `since` in milliseconds, `why`. With `more` the list comes in several replies.\n"
    "method ListClaims() -> (claims: []object)\n";

static AditValue *next_claim(gpointer cursor) {
  return adit_claims_cursor_next(cursor);
}

static void free_cursor(gpointer cursor) {
  adit_claims_cursor_free(cursor);
}

static void list_claims(gpointer state, AditCall *call, const AditValue *parameters) {
  AditClaims *claims = adit_claims_served();
  if (claims)
    adit_control_service()->reply_rows(call, "claims", next_claim, adit_claims_cursor_new(claims), free_cursor);
  else
    adit_control_reply_list(call, "claims", adit_value_list());
}

static const AditMethod methods[] = {{.size = sizeof(AditMethod), .name = "ListClaims", .call = list_claims}};

static const AditCommand commands[] = {
    {.size = sizeof(AditCommand),
     .verb = "show claims",
     .method = "io.adit.net.ListClaims",
     .rows = "claims",
     .columns = "OBJECT=object INTERFACE=interface CLAIMANT=claimant STATE=state SINCE=since:duration WHY=why",
     .summary = "list the addresses, routes, neighbours and interfaces that adit keeps in the kernel",
     .help = "One line for each claim of a session, a client or a tunnel. `installed`: the kernel has it for this claimant. `waiting`: an "
             "earlier claimant has it; WHY names that one. `blocked`: another program's equal route is there. `refused`: the kernel "
             "refused it, or the route would send a tunnel into itself. Claims that are not installed are installed as soon as possible. "
             "`tunnel to ADDRESS` keeps the route to the end of a tunnel outside of the tunnels."},
};

gboolean adit_control_net_commands(GError **error) {
  return adit_control_service()->interface_add(NULL, description, methods, G_N_ELEMENTS(methods), commands, G_N_ELEMENTS(commands), NULL,
                                               error);
}
