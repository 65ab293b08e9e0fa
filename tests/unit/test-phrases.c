/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <locale.h>

#include <glib/gi18n.h>

#include "gw-phrases.h"

#define assert_said(text, expected) \
  G_STMT_START \
    { \
      g_autofree char *said = gw_phrase_translate (text); \
      g_assert_cmpstr (said, ==, expected); \
    } \
  G_STMT_END

/* English stays as it is, whatever it is. */
static void
test_english (void)
{
  assert_said (NULL, "");
  assert_said ("It is tried again.", "It is tried again.");
  assert_said ("Redis at r: no answer in time. Anything.", "Redis at r: no answer in time. Anything.");
}

static void
test_chinese (void)
{
  static const struct {
    const char *text;
    const char *said;
  } cases[] = {
    { "It is tried again.", "系统会再次尝试。" },
    { "Not known.", "Not known." },
    { "base-url: is missing; set the program to run and its arguments",
      "base-url: 未设置；请填写要运行的程序及其参数" },
    /* What the system said stands in the middle. */
    { "Redis at redis://h:6379/0: Connection refused. Nothing listens there. Start Redis, or correct "
      "the address.",
      "位于 redis://h:6379/0 的 Redis：Connection refused。那里没有程序在监听。请启动 Redis，或更正地址。" },
    { "Redis at redis://h:6379/0: NOAUTH Authentication required. It wants a password: write "
      "redis://:password@host, or user:password@.",
      "位于 redis://h:6379/0 的 Redis：NOAUTH Authentication required。它需要密码："
      "请写成 redis://:password@host，或加上 user:password@。" },
    { "Redis at r: no answer in time. It is too busy, frozen, or the network lost its answer. It is "
      "tried again by itself.",
      "位于 r 的 Redis：没有及时响应。它过于繁忙或没有反应，或者响应在网络中丢失。系统会自动再次尝试。" },
    { "Redis at r: the connection was lost. It is tried again by itself; look whether it runs.",
      "位于 r 的 Redis：连接已断开。系统会自动再次尝试；请查看它是否在运行。" },
    /* Several sentences of it: what to do is found behind them. */
    { "Redis at r: BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN "
      "NOSAVE. Another script keeps it busy. It is tried again by itself.",
      "位于 r 的 Redis：BUSY Redis is busy running a script。You can only call SCRIPT KILL or SHUTDOWN "
      "NOSAVE. 它正忙于另一个脚本。系统会自动再次尝试。" },
    { "Redis at r has not answered for 12.5 s. It is too busy, frozen, or the network is slow.",
      "位于 r 的 Redis 已有 12.5 秒没有响应。它过于繁忙或没有反应，或者网络缓慢。" },
    { "Redis at r is version 5.0.7; the queue needs 6.2 or newer. Install a newer one.",
      "位于 r 的 Redis 版本为 5.0.7；队列需要 6.2 或更新的版本。请安装更新的版本。" },
    { "Redis at r: /etc/ca.pem, which should hold who vouches for the server, cannot be used (it "
      "cannot be read). Correct it.",
      "位于 r 的 Redis：/etc/ca.pem 应包含服务器的签发者，但无法使用（它无法读取）。请更正。" },
    { "Redis at r: the certificate of the server has expired. Renew it.",
      "位于 r 的 Redis：服务器的证书已过期。请更新证书。" },
    { "The address of Redis names no host. Write redis://[user:password@]host:port/db, rediss://… for "
      "TLS, or redis+unix:///path.",
      "Redis 地址没有主机名。请写成 redis://[user:password@]host:port/db，使用 TLS 时写成 rediss://…，"
      "或写成 redis+unix:///path。" },
  };

  /* Newer versions of the C library know no languages in C.UTF-8. */
  if (setlocale (LC_ALL, "en_US.UTF-8") == NULL && setlocale (LC_ALL, "C.UTF-8") == NULL)
    {
      g_test_skip ("There is neither the locale en_US.UTF-8 nor C.UTF-8.");
      return;
    }
  g_setenv ("LANGUAGE", "zh_CN", TRUE);
  bindtextdomain (GETTEXT_PACKAGE, g_getenv ("GANGWAY_LOCALEDIR"));
  bind_textdomain_codeset (GETTEXT_PACKAGE, "UTF-8");
  textdomain (GETTEXT_PACKAGE);
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    assert_said (cases[i].text, cases[i].said);
  g_assert_cmpstr (gw_phrase_for_failure (GW_ERROR_TASK_TIMEOUT), ==, "超时");
}

int
main (int argc,
      char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/phrases/english", test_english);
  g_test_add_func ("/phrases/chinese", test_chinese);
  return g_test_run ();
}
