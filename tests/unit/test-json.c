/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <locale.h>
#include <string.h>

#include "gw-json.h"

typedef struct {
  const char *text;
  gsize length; /* 0: up to the end */
} Text;

#define T(text) { text, 0 }
#define B(text) { text, sizeof (text) - 1 }

static gsize
text_length (const Text *text)
{
  return text->length > 0 ? text->length : strlen (text->text);
}

/* Says which text is tested; its bytes would break the lines of the report. */
static void
say (const Text *text)
{
  g_autofree char *escaped = g_strescape (text->text, NULL);

  g_test_message ("%s", escaped);
}

/* The scan may not look behind the end: it gets a copy that ends where its memory does. */
static gboolean
check (const Text *text,
       GError **error)
{
  gsize length = text_length (text);
  g_autofree char *exact = g_memdup2 (text->text, length);

  return gw_json_check (exact, length, GW_JSON_MAX_DEPTH, error);
}

static void
test_accepted (void)
{
  static const Text texts[] = {
    T ("null"), T (" true "), T ("false"), T ("0"), T ("-0"), T ("1.0"), T ("1e3"), T ("-1.5E-7"),
    T ("1E+2"), T ("9223372036854775807"), T ("-9223372036854775808"), T ("1e20"), T ("1e-999"),
    T ("0.1000000000000000055511151231257827"), T ("\"\""), T ("\"\\ud83d\\ude00\""),
    T ("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9\""), T ("\"\x7f\""), T ("\"日本語 😀 é\""),
    T ("[]"), T ("[ ]"), T ("{}"), T ("{ }"), T ("[1,[2,{\"a\":[]}],\"b\"]"),
    T ("\t\r\n {\"a\" : 1 , \"b\":[ ] }\n"), T ("\xef\xbb\xbf{}"), T ("{\"a\":1,\"a\":2}"),
    T ("{\"\":{}}"), T ("\"\xf4\x8f\xbf\xbf\xef\xbf\xbf\""),
  };

  for (guint i = 0; i < G_N_ELEMENTS (texts); i++)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (JsonNode) node = NULL;

      say (&texts[i]);
      g_assert_true (check (&texts[i], &error));
      g_assert_no_error (error);
      node = gw_json_parse (texts[i].text, text_length (&texts[i]), &error);
      g_assert_no_error (error);
      g_assert_nonnull (node);
    }
}

static void
test_malformed (void)
{
  static const Text texts[] = {
    T ("   "), T ("\xef\xbb\xbf"), T ("nul"), T ("nulll"), T ("True"), T ("NaN"), T ("Infinity"),
    T ("-"), T ("+1"), T ("01"), T ("-01"), T ("1."), T (".5"), T ("1e"), T ("1e+"), T ("0x10"),
    T ("1_0"), T ("'a'"), T ("\"a"), T ("\"\\\""), T ("\"\\x41\""), T ("\"\\u12\""),
    T ("\"\\u12g4\""), T ("\"a\nb\""), T ("\"a\tb\""), T ("["), T ("[1"), T ("[1,"), T ("[1,]"),
    T ("[,1]"), T ("[1 2]"), T ("[1}"), T ("{"), T ("{\"a\""), T ("{\"a\":"), T ("{\"a\":1"),
    T ("{\"a\":1,"), T ("{\"a\":1,}"), T ("{\"a\" 1}"), T ("{a:1}"), T ("{1:1}"), T ("{,}"),
    T ("{\"a\":1]"), T ("]"), T ("}"), T (","), T ("1 2"), T ("{} {}"), T ("{}x"),
    T ("// c\n1"), T ("/* c */ 1"), T ("1 // c"), T ("var a = 1"), T ("# c\n1"), T ("{\"a\":1;}"),
    T ("\"\xff\""), T ("\"\xc0\x80\""), T ("\"\xc3\""), T ("\"\xe2\x82\""), T ("\"\xe0\x80\x80\""),
    T ("\"\xf4\x90\x80\x80\""), T ("\"\xf0\x80\x80\x80\""), T ("\"\x80\""), T ("\xc3\xa9"),
    T ("\xff\xfe{\"a\""), B ("1\0"), B ("\0"), B ("[1,\0]"), T ("{}\xef\xbb\xbf"), T ("\v1"),
    T ("\xc2\xa0" "1"), T ("{\"a\":\"\\u0000\""), T ("[\"\\ud800\""),
  };
  g_autoptr (GError) empty = NULL;

  for (guint i = 0; i < G_N_ELEMENTS (texts); i++)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (JsonNode) node = NULL;

      say (&texts[i]);
      g_assert_false (check (&texts[i], &error));
      g_assert_error (error, GW_ERROR, GW_ERROR_NOT_JSON);
      g_assert_nonnull (strstr (error->message, "byte "));
      g_clear_error (&error);
      node = gw_json_parse (texts[i].text, text_length (&texts[i]), &error);
      g_assert_error (error, GW_ERROR, GW_ERROR_NOT_JSON);
      g_assert_null (node);
      g_clear_error (&error);
      /* Whatever a lenient reader makes of it, it must not crash. */
      g_clear_pointer (&node, json_node_unref);
      node = gw_json_parse_reply (texts[i].text, text_length (&texts[i]), &error);
      g_assert_true ((node == NULL) == (error != NULL));
    }

  g_assert_false (gw_json_check ("", 0, 64, &empty));
  g_assert_error (empty, GW_ERROR, GW_ERROR_NOT_JSON);
}

static void
test_forbidden (void)
{
  static const Text texts[] = {
    T ("\"\\u0000\""), T ("{\"a\\u0000b\":1}"), B ("\"a\0b\""), T ("\"\\ud800\""),
    T ("\"\\ud800x\""), T ("\"\\ud800\\n\""), T ("\"\\ud800\\ud800\""), T ("\"\\udc00\""),
    T ("\"\\ude00\\ud83d\""), T ("\"\xed\xa0\x80\""), T ("\"\xed\xbf\xbf\""),
    T ("[\"ok\",\"\\ud800\"]"), T ("1e999"), T ("-1e999"), T ("9223372036854775808"),
    T ("{\"id\":12345678901234567890}"), T ("-9223372036854775809"),
  };

  for (guint i = 0; i < G_N_ELEMENTS (texts); i++)
    {
      g_autoptr (GError) error = NULL;

      say (&texts[i]);
      g_assert_false (check (&texts[i], &error));
      g_assert_error (error, GW_ERROR, GW_ERROR_INVALID);
    }
}

static void
test_position (void)
{
  g_autoptr (GError) error = NULL;

  g_assert_false (gw_json_check ("{\"a\": nope}", 11, 64, &error));
  g_assert_nonnull (strstr (error->message, "byte 6"));
  g_clear_error (&error);
  g_assert_false (gw_json_check ("[\"abcdefghijk\\ud800\"]", 21, 64, &error));
  g_assert_nonnull (strstr (error->message, "byte 13"));
}

static void
test_special_at_every_offset (void)
{
  static const struct {
    const char *piece;
    int code; /* -1: accepted */
  } cases[] = {
    { "\\n", -1 }, { "é", -1 }, { "\x1f", GW_ERROR_NOT_JSON }, { "\x01", GW_ERROR_NOT_JSON },
    { "\xff", GW_ERROR_NOT_JSON }, { "\\ud800", GW_ERROR_INVALID }, { " !#[]^_", -1 },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      for (guint offset = 0; offset < 24; offset++)
        {
          g_autoptr (GError) error = NULL;
          g_autoptr (GString) text = g_string_new ("\"");

          for (guint j = 0; j < offset; j++)
            g_string_append_c (text, 'a' + j);
          g_string_append (text, cases[i].piece);
          g_string_append (text, "zzzzzzzzzzzz\"");
          g_assert_cmpint (gw_json_check (text->str, text->len, 64, &error), ==,
                           cases[i].code < 0);
          if (cases[i].code >= 0)
            g_assert_error (error, GW_ERROR, cases[i].code);
        }
    }
}

static char *
nested (guint depth,
        const char *open,
        const char *close)
{
  GString *text = g_string_new (NULL);

  for (guint i = 0; i < depth; i++)
    g_string_append (text, open);
  g_string_append_c (text, '0');
  for (guint i = 0; i < depth; i++)
    g_string_append (text, close);

  return g_string_free (text, FALSE);
}

static void
test_depth (void)
{
  static const struct {
    const char *open, *close;
  } kinds[] = { { "[", "]" }, { "{\"a\":", "}" } };

  for (guint i = 0; i < G_N_ELEMENTS (kinds); i++)
    {
      g_autofree char *right = nested (64, kinds[i].open, kinds[i].close);
      g_autofree char *over = nested (65, kinds[i].open, kinds[i].close);
      g_autofree char *far_over = nested (100000, kinds[i].open, kinds[i].close);
      g_autoptr (GError) error = NULL;
      g_autoptr (JsonNode) node = gw_json_parse (right, strlen (right), &error);

      g_assert_no_error (error);
      g_assert_nonnull (node);
      g_assert_null (gw_json_parse (over, strlen (over), &error));
      g_assert_error (error, GW_ERROR, GW_ERROR_NOT_JSON);
      g_assert_nonnull (strstr (error->message, "nested deeper than 64"));
      g_clear_error (&error);
      g_assert_null (gw_json_parse_reply (far_over, strlen (far_over), &error));
      g_assert_error (error, GW_ERROR, GW_ERROR_NOT_JSON);
      g_clear_error (&error);
      g_assert_true (gw_json_check (over, strlen (over), 65, &error));
      /* What was taken in one layer is read in some more around it. */
      g_clear_pointer (&node, json_node_unref);
      node = gw_json_parse_reply (over, strlen (over), &error);
      g_assert_no_error (error);
    }
}

/* What goes in comes out: same members, same order, same values. */
static void
test_round_trip (void)
{
  static const char *const texts[] = {
    "{\"z\":1,\"a\":[1.5,-2,null,true,false,\"\"],\"m\":{\"n\":{}},\"e\":[]}",
    "[0.1,1e+20,1.0,-0.5,4.94065645841247e-324,1.7976931348623157e+308,9223372036854775807,123456789.125]",
    "\"日本語 \\\"q\\\" \\\\ \\n\\r\\t\\u0001\\u007f 😀\"",
  };

  for (guint i = 0; i < G_N_ELEMENTS (texts); i++)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (JsonNode) node = gw_json_parse (texts[i], strlen (texts[i]), &error);
      g_autofree char *text = NULL;
      gsize length = 0;

      g_assert_no_error (error);
      text = gw_json_to_text (node, FALSE, &length);
      g_assert_cmpstr (text, ==, texts[i]);
      g_assert_cmpuint (length, ==, strlen (text));
    }
}

static void
test_pretty (void)
{
  const char *text = "{\"a\":[],\"b\":{},\"c\":[1,{\"d\":\"é\"}]}";
  g_autoptr (JsonObject) object = gw_json_parse_object (text, strlen (text), NULL);
  g_autofree char *pretty = gw_json_object_to_text (object, TRUE, NULL);

  g_assert_cmpstr (pretty, ==,
                   "{\n  \"a\": [],\n  \"b\": {},\n  \"c\": [\n    1,\n    {\n"
                   "      \"d\": \"é\"\n    }\n  ]\n}");
}

static void
test_repeated_member (void)
{
  const char *text = "{\"a\":1,\"b\":2,\"a\":{\"c\":3}}";
  g_autoptr (JsonObject) object = gw_json_parse_object (text, strlen (text), NULL);

  g_assert_cmpuint (json_object_get_size (object), ==, 2);
  g_assert_cmpint (gw_json_peek_int (gw_json_peek_object (object, "a"), "c", 0), ==, 3);

  {
    g_autoptr (JsonArray) mixed = json_array_new ();

    json_array_add_object_element (mixed, json_object_new ());
    json_array_add_string_element (mixed, "text");
    json_array_add_null_element (mixed);
    g_assert_null (gw_json_peek_string_at (mixed, 0));
    g_assert_cmpstr (gw_json_peek_string_at (mixed, 1), ==, "text");
    g_assert_null (gw_json_peek_string_at (mixed, 2));
    g_assert_null (gw_json_peek_string_at (mixed, 3));
    g_assert_null (gw_json_peek_string_at (NULL, 0));
    g_assert_nonnull (gw_json_peek_object_at (mixed, 0));
    g_assert_null (gw_json_peek_object_at (mixed, 1));
    g_assert_null (gw_json_peek_object_at (mixed, 3));
  }
}

static void
test_not_an_object (void)
{
  static const char *const texts[] = { "[]", "null", "1", "\"{}\"" };

  for (guint i = 0; i < G_N_ELEMENTS (texts); i++)
    {
      g_autoptr (GError) error = NULL;

      g_assert_null (gw_json_parse_object (texts[i], strlen (texts[i]), &error));
      g_assert_error (error, GW_ERROR, GW_ERROR_INVALID);
    }
}

static void
test_reply (void)
{
  static const Text text = B ("{\"a\":\"x\\ud83d\",\"b\":\"\\u0000y\",\"c\":\"\xff\xed\xa0\x80z\","
                              "\"d\":18446744073709551615,\"e\":1e999,\"f\":\"q\0r\"}");
  g_autoptr (GError) error = NULL;
  g_autoptr (JsonNode) node = gw_json_parse_reply (text.text, text.length, &error);
  JsonObject *object;

  g_assert_no_error (error);
  object = json_node_get_object (node);
  g_assert_cmpstr (gw_json_peek_string (object, "a"), ==, "x\xef\xbf\xbd");
  g_assert_cmpstr (gw_json_peek_string (object, "b"), ==, "\xef\xbf\xbdy");
  g_assert_true (g_utf8_validate (gw_json_peek_string (object, "c"), -1, NULL));
  g_assert_true (g_str_has_suffix (gw_json_peek_string (object, "c"), "z"));
  g_assert_cmpfloat (gw_json_peek_double (object, "d", 0), ==, 18446744073709551615.0);
  g_assert_cmpfloat (gw_json_peek_double (object, "e", 0), ==, G_MAXDOUBLE);
  g_assert_cmpstr (gw_json_peek_string (object, "f"), ==, "q\xef\xbf\xbdr");
}

static void
test_copy (void)
{
  const char *text = "{\"a\":[1,{\"b\":[true,null,0.5,\"c\"]}],\"d\":{}}";
  g_autoptr (JsonObject) object = gw_json_parse_object (text, strlen (text), NULL);
  g_autoptr (JsonObject) copy = gw_json_copy_object (object);
  g_autofree char *before = NULL;
  g_autofree char *after = NULL;

  json_array_add_int_element (gw_json_peek_array (copy, "a"), 2);
  json_object_set_int_member (gw_json_peek_object (copy, "d"), "e", 3);
  before = gw_json_object_to_text (object, FALSE, NULL);
  after = gw_json_object_to_text (copy, FALSE, NULL);
  g_assert_cmpstr (before, ==, text);
  g_assert_cmpstr (after, ==,
                   "{\"a\":[1,{\"b\":[true,null,0.5,\"c\"]},2],\"d\":{\"e\":3}}");
}

static void
test_getters (void)
{
  const char *text = "{\"s\":\"text\",\"i\":7,\"f\":1.0,\"h\":1.5,\"b\":true,\"n\":null,"
                     "\"o\":{},\"a\":[],\"big\":1e30}";
  g_autoptr (JsonObject) object = gw_json_parse_object (text, strlen (text), NULL);
  g_autoptr (GError) error = NULL;
  const char *string = "before";
  gint64 integer = -5;
  double number = -5;
  gboolean boolean = FALSE;
  JsonObject *inner = NULL;
  JsonArray *array = NULL;

  g_assert_true (gw_json_get_string (object, "none", 0, 0, &string, &error));
  g_assert_cmpstr (string, ==, "before");
  g_assert_true (gw_json_get_string (object, "n", GW_JSON_NULLABLE, 0, &string, &error));
  g_assert_cmpstr (string, ==, "before");
  g_assert_true (gw_json_get_string (object, "s", GW_JSON_REQUIRED, 4, &string, &error));
  g_assert_cmpstr (string, ==, "text");
  g_assert_true (gw_json_get_int (object, "i", 0, 7, 7, &integer, &error));
  g_assert_cmpint (integer, ==, 7);
  g_assert_true (gw_json_get_int (object, "f", 0, 0, 9, &integer, &error));
  g_assert_cmpint (integer, ==, 1);
  g_assert_true (gw_json_get_double (object, "i", 0, &number, &error));
  g_assert_cmpfloat (number, ==, 7);
  g_assert_true (gw_json_get_boolean (object, "b", 0, &boolean, &error));
  g_assert_true (boolean);
  g_assert_true (gw_json_get_object (object, "o", 0, &inner, &error));
  g_assert_nonnull (inner);
  g_assert_true (gw_json_get_array (object, "a", 0, &array, &error));
  g_assert_nonnull (array);
  g_assert_no_error (error);

  g_assert_false (gw_json_get_string (object, "s", 0, 3, &string, &error));
  g_assert_error (error, GW_ERROR, GW_ERROR_TOO_LARGE);
  g_clear_error (&error);

#define REFUSED(call, name)                                 \
  g_assert_false (call);                                    \
  g_assert_error (error, GW_ERROR, GW_ERROR_INVALID);       \
  g_assert_nonnull (strstr (error->message, "'" name "'")); \
  g_clear_error (&error)

  REFUSED (gw_json_get_string (object, "none", GW_JSON_REQUIRED, 0, &string, &error), "none");
  REFUSED (gw_json_get_string (object, "n", 0, 0, &string, &error), "n");
  REFUSED (gw_json_get_string (object, "i", 0, 0, &string, &error), "i");
  REFUSED (gw_json_get_int (object, "s", 0, 0, 9, &integer, &error), "s");
  REFUSED (gw_json_get_int (object, "h", 0, 0, 9, &integer, &error), "h");
  REFUSED (gw_json_get_int (object, "big", 0, 0, G_MAXINT64, &integer, &error), "big");
  REFUSED (gw_json_get_int (object, "i", 0, 8, 9, &integer, &error), "i");
  REFUSED (gw_json_get_int (object, "b", 0, 0, 9, &integer, &error), "b");
  REFUSED (gw_json_get_double (object, "s", 0, &number, &error), "s");
  REFUSED (gw_json_get_boolean (object, "i", 0, &boolean, &error), "i");
  REFUSED (gw_json_get_object (object, "a", 0, &inner, &error), "a");
  REFUSED (gw_json_get_array (object, "o", 0, &array, &error), "o");
#undef REFUSED
}

static void
test_peekers (void)
{
  const char *text = "{\"s\":\"text\",\"i\":7,\"n\":null,\"o\":{},\"a\":[]}";
  static const char *const members[] = { "s", "i", "n", "o", "a", "none" };
  g_autoptr (JsonObject) object = gw_json_parse_object (text, strlen (text), NULL);

  /* Every reader at every member: no critical (they are fatal here), only the fallback. */
  for (guint i = 0; i < G_N_ELEMENTS (members); i++)
    {
      const char *member = members[i];

      g_assert_cmpint (gw_json_peek_string (object, member) != NULL, ==, member[0] == 's');
      g_assert_cmpint (gw_json_peek_object (object, member) != NULL, ==, member[0] == 'o');
      g_assert_cmpint (gw_json_peek_array (object, member) != NULL, ==, member[0] == 'a');
      g_assert_cmpint (gw_json_peek_int (object, member, -1) != -1, ==, member[0] == 'i');
      g_assert_cmpint (gw_json_peek_double (object, member, -1) >= 0, ==, member[0] == 'i');
      g_assert_false (gw_json_peek_boolean (object, member, FALSE));
    }
  g_assert_null (gw_json_peek_string (NULL, "s"));
}

int
main (int argc,
      char *argv[])
{
  setlocale (LC_ALL, "");
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/json/accepted", test_accepted);
  g_test_add_func ("/json/malformed", test_malformed);
  g_test_add_func ("/json/forbidden", test_forbidden);
  g_test_add_func ("/json/position", test_position);
  g_test_add_func ("/json/special-at-every-offset", test_special_at_every_offset);
  g_test_add_func ("/json/depth", test_depth);
  g_test_add_func ("/json/round-trip", test_round_trip);
  g_test_add_func ("/json/pretty", test_pretty);
  g_test_add_func ("/json/repeated-member", test_repeated_member);
  g_test_add_func ("/json/not-an-object", test_not_an_object);
  g_test_add_func ("/json/reply", test_reply);
  g_test_add_func ("/json/copy", test_copy);
  g_test_add_func ("/json/getters", test_getters);
  g_test_add_func ("/json/peekers", test_peekers);

  return g_test_run ();
}
