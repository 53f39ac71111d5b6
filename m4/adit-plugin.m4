# ADIT_PLUGIN(NAME, FOLDER, SUMMARY, [REQUIREMENT = yes])
# Adds --enable-plugin-NAME / --disable-plugin-NAME with `auto` as default: built when REQUIREMENT (a shell word that is
# `yes` or says what is missing) is met. Defines the conditional PLUGIN_<NAME> and a line of the summary.
AC_DEFUN([ADIT_PLUGIN], [
  m4_define([adit_up], m4_translit([$1], [a-z-], [A-Z_]))
  AC_ARG_ENABLE([plugin-$1],
    AS_HELP_STRING([--disable-plugin-$1], [$3 (auto)]),
    [adit_want="$enableval"], [adit_want=auto])
  adit_need="m4_default([$4], [yes])"
  AS_IF([test "x$adit_want" = xno], [adit_have=no; adit_note="switched off"],
        [test "x$adit_need" = xyes], [adit_have=yes; adit_note="$3"],
        [test "x$adit_want" = xyes], [AC_MSG_ERROR([--enable-plugin-$1: $adit_need])],
        [adit_have=no; adit_note="$adit_need"])
  AM_CONDITIONAL([PLUGIN_]adit_up, [test "x$adit_have" = xyes])
  ADIT_SUMMARY="$ADIT_SUMMARY
  $(printf '%-22s %-4s %s' '$2/$1' "$adit_have" "$adit_note")"
])
