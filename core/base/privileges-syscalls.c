/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/* The system-call filter. It denies what could not be a network daemon's, and allows the rest: a list of allowed calls would depend on the
 * version of the C library, and fail with versions that were not tested. The unit has such a list, which its distribution keeps. */
#include "config.h"

#include "core/base/privileges.h"

#include <adit/log.h>
#include <errno.h>

#ifdef HAVE_SECCOMP
#include <sched.h>
#include <seccomp.h>
#include <sys/ioctl.h>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || __has_feature(memory_sanitizer)
#define SANITIZED 1
#endif
#endif
#ifndef SANITIZED
#define SANITIZED 0
#endif

/* By name: a kernel's or libseccomp's older headers know not all of them. */
static const char *const denied[] = {
    /* other programs and processes */
    "kcmp", "pidfd_getfd", "process_madvise", "process_vm_writev",
    /* the machine */
    "acct", "add_key", "adjtimex", "bpf", "clock_adjtime", "clock_settime", "create_module", "delete_module", "finit_module",
    "get_kernel_syms", "init_module", "ioperm", "iopl", "kexec_file_load", "kexec_load", "keyctl", "lookup_dcookie", "nfsservctl",
    "perf_event_open", "query_module", "quotactl", "quotactl_fd", "reboot", "request_key", "setdomainname", "sethostname", "settimeofday",
    "stime", "swapoff", "swapon", "syslog", "uselib", "userfaultfd", "vhangup", "vm86", "vm86old",
    /* file systems and namespaces */
    "chroot", "fsconfig", "fsmount", "fsopen", "fspick", "mount", "mount_setattr", "move_mount", "name_to_handle_at", "open_by_handle_at",
    "open_tree", "pivot_root", "setns", "umount", "umount2", "unshare",
    /* user and process ids */
    "capset", "setfsgid", "setfsuid", "setgid", "setgroups", "setregid", "setresgid", "setresuid", "setreuid", "setuid", "personality"};

/* A sanitizer traces its own process to find leaks, and starts a program that prints names for addresses. */
static const char *const denied_unless_sanitized[] = {"execve", "execveat", "process_vm_readv", "ptrace"};

static void deny_calls(scmp_filter_ctx context, const char *const *names, gsize n) {
  for (gsize i = 0; i < n; i++) {
    int number = seccomp_syscall_resolve_name(names[i]);
    if (number != __NR_SCMP_ERROR)
      seccomp_rule_add(context, SCMP_ACT_ERRNO(EPERM), number, 0); /* one that this machine has not is left out */
  }
}

/* Threads are all that is made. clone3() hides its flags in memory; the C library goes back to clone() when the kernel has none. */
static void deny_namespaces(scmp_filter_ctx context) {
  static const guint64 flags[] = {CLONE_NEWUSER, CLONE_NEWNS, CLONE_NEWNET, CLONE_NEWPID, CLONE_NEWUTS, CLONE_NEWIPC, CLONE_NEWCGROUP};
  int clone3 = seccomp_syscall_resolve_name("clone3");

  for (gsize i = 0; i < G_N_ELEMENTS(flags); i++)
    seccomp_rule_add(context, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(clone), 1, SCMP_A0(SCMP_CMP_MASKED_EQ, flags[i], flags[i]));
  if (clone3 != __NR_SCMP_ERROR)
    seccomp_rule_add(context, SCMP_ACT_ERRNO(ENOSYS), clone3, 0);
}

gboolean adit_privileges_filter(void) {
  scmp_filter_ctx context = seccomp_init(SCMP_ACT_ALLOW);
  if (!context)
    return FALSE;
  deny_calls(context, denied, G_N_ELEMENTS(denied));
  if (!SANITIZED)
    deny_calls(context, denied_unless_sanitized, G_N_ELEMENTS(denied_unless_sanitized));
  deny_namespaces(context);
  seccomp_rule_add(context, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(ioctl), 1, SCMP_A1(SCMP_CMP_MASKED_EQ, 0xffffffff, TIOCSTI));
  seccomp_attr_set(context, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_ERRNO(EPERM));
  int failed = seccomp_load(context);
  seccomp_release(context);
  if (failed)
    adit_debug(NULL, "no system-call filter: %s", g_strerror(-failed));
  else if (SANITIZED)
    adit_debug(NULL, "the system-call filter lets a sanitizer trace and start programs");
  return !failed;
}
#else
gboolean adit_privileges_filter(void) {
  adit_debug(NULL, "no system-call filter: this build is without libseccomp");
  return FALSE;
}
#endif
