/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * Runs a fuzz target as an ordinary test: on every seed, and on some thousand variants of each that
 * are the same in every run. With clang the targets are linked to libFuzzer besides.
 */

#include "config.h"

#include <string.h>

#include "gw-fuzz.h"

#define N_VARIANTS 1500

static void
run (const guint8 *data,
     gsize size)
{
  /* Memory of just that size, so that a sanitizer sees a look behind it. */
  g_autofree guint8 *exact = g_memdup2 (data, size);

  g_assert_cmpint (LLVMFuzzerTestOneInput (exact, size), ==, 0);
}

static void
mutate (GByteArray *bytes,
        GRand *random)
{
  static const char *const pieces[] = {
    "{", "}", "[", "]", "\"", "\\", "\\u0000", "\\ud800", "\\udc00", ",", ":", "\n", "\r", "\t", ";",
    "---", "```", "# ", "- ", "{task}", "{{", "\xff", "\xfe", "\xc3", "\xed\xa0\x80", "\xef\xbb\xbf",
    "1e999", "18446744073709551615", "-", "0", ".", "e", "null", "true", "\"model\":\"m\"",
    "\"messages\":[]", "\"body\":{}", "\"\"", " ", "日",
  };
  guint n_changes = g_rand_int_range (random, 1, 6);

  for (guint i = 0; i < n_changes; i++)
    {
      guint at = g_rand_int_range (random, 0, bytes->len + 1);
      guint count;

      switch (g_rand_int_range (random, 0, 4))
        {
        case 0:
          if (at < bytes->len)
            bytes->data[at] = g_rand_int_range (random, 0, 256);
          break;
        case 1:
          count = g_rand_int_range (random, 1, 20);
          if (at + count <= bytes->len)
            g_byte_array_remove_range (bytes, at, count);
          break;
        default:
          {
            const char *piece = pieces[g_rand_int_range (random, 0, G_N_ELEMENTS (pieces))];
            gsize length = strlen (piece);
            guint old = bytes->len;

            g_byte_array_set_size (bytes, old + length);
            memmove (bytes->data + at + length, bytes->data + at, old - at);
            memcpy (bytes->data + at, piece, length);
            break;
          }
        }
    }
}

static void
test_seed (gconstpointer data)
{
  const char *path = data;
  g_autoptr (GRand) random = g_rand_new_with_seed (20261123);
  g_autofree char *text = NULL;
  gsize length = 0;

  g_assert_true (g_file_get_contents (path, &text, &length, NULL));
  run ((const guint8 *) text, length);
  for (guint i = 0; i < length && i < 300; i++)
    run ((const guint8 *) text, i);
  for (guint i = 0; i < N_VARIANTS; i++)
    {
      g_autoptr (GByteArray) bytes = g_byte_array_new ();

      g_byte_array_append (bytes, (const guint8 *) text, length);
      mutate (bytes, random);
      run (bytes->data, bytes->len);
    }
}

int
main (int argc,
      char *argv[])
{
  g_autoptr (GDir) folder = NULL;
  const char *name;

  g_test_init (&argc, &argv, NULL);
  g_assert_cmpint (argc, ==, 2);
  folder = g_dir_open (argv[1], 0, NULL);
  g_assert_nonnull (folder);
  while ((name = g_dir_read_name (folder)) != NULL)
    {
      g_autofree char *test = g_strconcat ("/fuzz/", name, NULL);

      g_test_add_data_func_full (test, g_build_filename (argv[1], name, NULL), test_seed, g_free);
    }

  return g_test_run ();
}
