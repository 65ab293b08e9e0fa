/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Addresses as people type them. */

#include "config.h"

#include "gw-provider-address.h"

typedef struct {
  const char *typed;
  const char *expected; /* (nullable) */
  GwAddressFault fault;
} Case;

static void
check (const Case *cases,
       guint n_cases,
       char *(*normalise) (const char *, GwAddressFault *))
{
  for (guint i = 0; i < n_cases; i++)
    {
      GwAddressFault fault = GW_ADDRESS_BROKEN;
      g_autofree char *text = normalise (cases[i].typed, &fault);

      g_test_message ("%s", cases[i].typed);
      g_assert_cmpstr (text, ==, cases[i].expected);
      g_assert_cmpint (fault, ==, cases[i].fault);
      if (text != NULL)
        {
          g_autofree char *again = normalise (text, &fault);

          g_assert_cmpstr (again, ==, text);
        }
    }
}

static void
test_provider (void)
{
  static const Case cases[] = {
    { "https://api.openai.com/v1", "https://api.openai.com/v1", GW_ADDRESS_GOOD },
    { "  https://API.openai.com/v1/ ", "https://api.openai.com/v1", GW_ADDRESS_GOOD },
    { "api.openai.com", "https://api.openai.com/v1", GW_ADDRESS_GOOD },
    { "https://api.openai.com/v1/v1", "https://api.openai.com/v1", GW_ADDRESS_GOOD },
    { "https://api.openai.com/v1/v1/v1/", "https://api.openai.com/v1", GW_ADDRESS_GOOD },
    { "https://api.openai.com/v1/chat/completions", "https://api.openai.com/v1",
      GW_ADDRESS_GOOD },
    { "https://x.example/v1/models", "https://x.example/v1", GW_ADDRESS_GOOD },
    { "https://open.bigmodel.cn/api/paas/v4", "https://open.bigmodel.cn/api/paas/v4",
      GW_ADDRESS_GOOD },
    { "localhost:11434", "http://localhost:11434/v1", GW_ADDRESS_GOOD },
    { "127.0.0.1:1234/v1", "http://127.0.0.1:1234/v1", GW_ADDRESS_GOOD },
    { "[::1]:8080", "http://[::1]:8080/v1", GW_ADDRESS_GOOD },
    { "192.168.1.5:11434", "http://192.168.1.5:11434/v1", GW_ADDRESS_GOOD },
    { "nas.local:11434", "http://nas.local:11434/v1", GW_ADDRESS_GOOD },
    { "nas:11434", "http://nas:11434/v1", GW_ADDRESS_GOOD },
    { "http://nas:80", "http://nas/v1", GW_ADDRESS_GOOD },
    { "https://x.example:443/v1", "https://x.example/v1", GW_ADDRESS_GOOD },
    { "8.8.8.8:11434", "https://8.8.8.8:11434/v1", GW_ADDRESS_GOOD },
    { "http://api.example.com/v1", NULL, GW_ADDRESS_PLAIN },
    { "http://8.8.8.8/v1", NULL, GW_ADDRESS_PLAIN },
    { "", NULL, GW_ADDRESS_EMPTY },
    { " ", NULL, GW_ADDRESS_EMPTY },
    { NULL, NULL, GW_ADDRESS_EMPTY },
    { "https://", NULL, GW_ADDRESS_BROKEN },
    { "two words", NULL, GW_ADDRESS_BROKEN },
    { "host:99999", NULL, GW_ADDRESS_BROKEN },
    { "ftp://example.com", NULL, GW_ADDRESS_SCHEME },
    { "https://me:secret@example.com/v1", NULL, GW_ADDRESS_PASSWORD },
    { "https://example.com/v1?key=x", NULL, GW_ADDRESS_QUERY },
  };

  check (cases, G_N_ELEMENTS (cases), gw_provider_address_normalise);
}

static void
test_gateway (void)
{
  static const Case cases[] = {
    { "nas.local:8000", "http://nas.local:8000", GW_ADDRESS_GOOD },
    { "example.com:8000", "http://example.com:8000", GW_ADDRESS_GOOD },
    { " https://example.com/gangway/ ", "https://example.com/gangway", GW_ADDRESS_GOOD },
    { "[::1]:8000", "http://[::1]:8000", GW_ADDRESS_GOOD },
    { "", NULL, GW_ADDRESS_EMPTY },
    { NULL, NULL, GW_ADDRESS_EMPTY },
    { "ws://example.com", NULL, GW_ADDRESS_SCHEME },
    { "http://a:b@example.com", NULL, GW_ADDRESS_PASSWORD },
    { "a b", NULL, GW_ADDRESS_BROKEN },
  };

  check (cases, G_N_ELEMENTS (cases), gw_gateway_address_normalise);
}

int
main (int argc,
      char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/address/provider", test_provider);
  g_test_add_func ("/address/gateway", test_gateway);

  return g_test_run ();
}
