/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Markdown as models write it, and as an enemy would. */

#include "config.h"

#include <string.h>

#include "gw-markdown.h"

/* A document in short: one line a block, spans in brackets of their kind. */
static char *
describe (const char *text)
{
  g_autoptr (GPtrArray) blocks = gw_markdown_parse (text, strlen (text));
  GString *out = g_string_new (NULL);

  for (guint i = 0; i < blocks->len; i++)
    {
      const GwMarkdownBlock *block = blocks->pdata[i];
      static const char *const kinds[] = { "p", "h", "code", "table", "rule" };
      gsize at = 0;

      for (guint q = 0; q < block->quotes; q++)
        g_string_append_c (out, '>');
      for (guint d = 0; d < block->depth; d++)
        g_string_append_c (out, '.');
      if (block->marker != NULL)
        g_string_append_printf (out, "%s ", block->marker);
      g_string_append (out, kinds[block->kind]);
      if (block->level > 0)
        g_string_append_printf (out, "%u", block->level);
      if (block->info != NULL)
        g_string_append_printf (out, "(%s)", block->info);
      g_string_append_c (out, ':');
      for (guint s = 0; block->spans != NULL && s < block->spans->len; s++)
        {
          const GwMarkdownSpan *span = &g_array_index (block->spans, GwMarkdownSpan, s);

          g_string_append_len (out, block->text + at, (gssize) (span->start - at));
          g_string_append_c (out, '{');
          if (span->style & GW_MARKDOWN_EMPHASIS)
            g_string_append_c (out, 'e');
          if (span->style & GW_MARKDOWN_STRONG)
            g_string_append_c (out, 'b');
          if (span->style & GW_MARKDOWN_STRIKE)
            g_string_append_c (out, 's');
          if (span->style & GW_MARKDOWN_CODE_SPAN)
            g_string_append_c (out, 'c');
          if (span->style & GW_MARKDOWN_LINK)
            g_string_append_printf (out, "l=%s", span->uri);
          g_string_append_c (out, ':');
          g_string_append_len (out, block->text + span->start, (gssize) (span->end - span->start));
          g_string_append_c (out, '}');
          at = span->end;
        }
      g_string_append (out, block->text + at);
      g_string_append_c (out, '\n');
    }
  return g_string_free (out, FALSE);
}

static void
check (const char *text,
       const char *expected)
{
  g_autofree char *got = describe (text);

  g_assert_cmpstr (got, ==, expected);
}

static void
test_blocks (void)
{
  check ("", "");
  check ("\n \n", "");
  check ("one\ntwo\n\nthree", "p:one\ntwo\np:three\n");
  check ("# A\n## B ##\n###### C\n####### D\n#E", "h1:A\nh2:B\nh6:C\np:####### D\n#E\n");
  check ("Title\n===\nSub\n---\n", "h1:Title\nh2:Sub\n");
  check ("a\n\n---\n\n***\n_ _ _\n", "p:a\nrule:\nrule:\nrule:\n");
  check ("a\r\nb\r\n", "p:a\nb\n");
  check ("    x\n\n      y\n\nz", "code:x\n\n  y\np:z\n");
}

static void
test_lists (void)
{
  check ("- a\n- b\n", ".• p:a\n.• p:b\n");
  check ("1. a\n2) b\n10. c", ".1. p:a\n.2) p:b\n.10. p:c\n");
  check ("- a\n  - b\n    - c\n- d", ".• p:a\n..• p:b\n...• p:c\n.• p:d\n");
  check ("1. a\n   - b\n\n   more\n2. c", ".1. p:a\n..• p:b\n.p:more\n.2. p:c\n");
  check ("1. a\n  - b\n2. c", ".1. p:a\n..• p:b\n.2. p:c\n");
  check ("- [ ] a\n- [x] b", ".☐ p:a\n.☑ p:b\n");
  check ("- a\nlazy", ".• p:a\nlazy\n");
  check ("-\n- b", ".• p:\n.• p:b\n");
  check ("- ```c\n  int x;\n  ```\n- b", ".• code(c):int x;\n.• p:b\n");
  check ("In\n1986. A year", "p:In\n1986. A year\n");
  check ("Steps:\n1. a\n2. b", "p:Steps:\n.1. p:a\n.2. p:b\n");
  check ("- # head\n- > said", ".• h1:head\n>.• p:said\n");
  check ("* * *\n- - a", "rule:\n.• p:\n..• p:a\n");
}

static void
test_code (void)
{
  check ("```python title=x\nprint ('*a*')\n\n  y\n```\nz",
         "code(python):print ('*a*')\n\n  y\np:z\n");
  check ("~~~\n```\n~~~", "code:```\n");
  check ("````\n```\n````", "code:```\n");
  /* Open to the end: nothing after it is lost. */
  check ("a\n```\nx\ny", "p:a\ncode:x\ny\n");
  check ("```", "code:\n");
  check ("> ```\n> x\ny", ">code:x\np:y\n");
  check ("1. a\n\n   ```sh\n   ls\n   ```\n", ".1. p:a\n.code(sh):ls\n");
  check ("``` a`b ```", "p:{c:a`b}\n");
}

static void
test_quotes (void)
{
  check ("> a\n> b\n>> c\n\nd", ">p:a\nb\n>>p:c\np:d\n");
  check ("> - a\n>   - b", ">.• p:a\n>..• p:b\n");
  check ("> a\nlazy", ">p:a\nlazy\n");
}

static void
test_tables (void)
{
  check ("| A | Bee |\n|---|--:|\n| x | 1 |\n| long | 22 |\n\nz",
         "table:A    │ Bee\n─────┼────\nx    │   1\nlong │  22\np:z\n");
  check ("A | B\n-|-\n**x** | `a\\|b`\nend",
         "table:A │ B\n──┼────\nx │ a|b\np:end\n");
  /* Wide characters take two columns. */
  check ("|名|b|\n|-|-|\n|a|c|", "table:名 │ b\n───┼──\na  │ c\n");
  check ("text\nA|B\n-|-\n1|2|3\n4", "p:text\ntable:A │ B\n──┼──\n1 │ 2\np:4\n");
  check ("A|B\n-|-|-", "p:A|B\n-|-|-\n");
}

static void
test_inline (void)
{
  check ("*a* **b** ***c*** ~~d~~ _e_ __f__",
         "p:{e:a} {b:b} {eb:c} {s:d} {e:e} {b:f}\n");
  check ("a * b * c, 2*3, snake_case_name, ~5~", "p:a * b * c, 2*3, snake_case_name, ~5~\n");
  check ("**a *b* c**", "p:{b:a }{eb:b}{b: c}\n");
  check ("**open", "p:**open\n");
  check ("`a*b*` ``c`d`` ` e ``", "p:{c:a*b*} {c:c`d} ` e ``\n");
  check ("\\*a\\* \\`b\\` c\\d", "p:*a* `b` c\\d\n");
  check ("**重点：**内容，“**词**”", "p:{b:重点：}内容，“{b:词}”\n");
  check ("<b>no</b> &amp; <script>x</script>", "p:<b>no</b> &amp; <script>x</script>\n");
}

static void
test_links (void)
{
  check ("[a *b*](https://x.org/?q=(1) \"t\") c",
         "p:{l=https://x.org/?q=(1):a }{el=https://x.org/?q=(1):b} c\n");
  check ("![pic](https://x.org/p.png)", "p:{l=https://x.org/p.png:pic}\n");
  check ("see https://x.org/a_b_(c). And (http://y.org)",
         "p:see {l=https://x.org/a_b_(c):https://x.org/a_b_(c)}. And ({l=http://y.org:http://y.org})\n");
  check ("请看https://x.org/a，谢谢", "p:请看{l=https://x.org/a:https://x.org/a}，谢谢\n");
  /* What must not be opened stays as it was written. */
  check ("[a](javascript:alert(1))", "p:[a](javascript:alert(1))\n");
  check ("[a](file:///etc/passwd) [b](#c)", "p:[a](file:///etc/passwd) [b](#c)\n");
  check ("http:// https:///x [1] [a] (b)", "p:http:// https:///x [1] [a] (b)\n");
  g_assert_true (gw_markdown_is_safe_uri ("mailto:a@b.org"));
  g_assert_false (gw_markdown_is_safe_uri ("https://a\xe2\x80\xae" "b"));
  g_assert_false (gw_markdown_is_safe_uri ("https://a b"));
  g_assert_false (gw_markdown_is_safe_uri (""));
}

/* Every byte of what can be seen is somewhere: the text that marks are taken from. */
static void
test_nothing_lost (void)
{
  const char *text = "α **β** `γ`\n\n> δ\n\n- ε\n  ```\n  ζ\n";
  g_autofree char *got = describe (text);

  for (gunichar c = 0x3b1; c <= 0x3b6; c++)
    {
      char letter[7] = { 0 };

      g_unichar_to_utf8 (c, letter);
      g_assert_nonnull (strstr (got, letter));
    }
}

static char *
repeat (const char *piece,
        gsize bytes)
{
  GString *text = g_string_sized_new (bytes);

  while (text->len < bytes)
    g_string_append (text, piece);
  return g_string_free (text, FALSE);
}

/* A megabyte of what makes careless parsers quadratic. What takes longer than the frame of the
 * tests hangs for hours, so nothing needs to be timed. */
static void
test_hostile (void)
{
  static const char *const pieces[] = {
    "a", "*", "**a", "*a ", "_a_", "`", "`a ", "``a`", "[", "]", "![", "[a](", "](a \"", "](a '",
    "[a](https://x.org)", "https://", "https://a", "http:///", "http://a.b(", "> ", ">", "- ", "1. ",
    "\t", " ", "#", "# a\n", "|", "a|b\n-|-\n", "-|-\n-|-|-\n", "```\n", "```a\n~~~\n", "~~~~",
    "- a\n ", "> - ", "    ", "\\", "~~a", "\xe2\x80\xae", "日", "*日**", "\xff", "\n", "- [ ] ",
    "x\n===\n", "<", "**a*", "_*~`[", "a\n",
  };

  for (guint i = 0; i < G_N_ELEMENTS (pieces); i++)
    {
      g_autofree char *text = repeat (pieces[i], 1024 * 1024);
      g_autoptr (GPtrArray) blocks = gw_markdown_parse (text, strlen (text));
      gsize bytes = 0;

      for (guint b = 0; b < blocks->len; b++)
        {
          const GwMarkdownBlock *block = blocks->pdata[b];

          g_assert_true (g_utf8_validate (block->text, (gssize) block->length, NULL));
          g_assert_cmpuint (block->depth + block->quotes, <=, 16);
          bytes += block->length;
        }
      /* Nothing grows out of proportion either. */
      g_assert_cmpuint (bytes, <=, 8 * 1024 * 1024);
    }
}

int
main (int argc,
      char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/markdown/blocks", test_blocks);
  g_test_add_func ("/markdown/lists", test_lists);
  g_test_add_func ("/markdown/code", test_code);
  g_test_add_func ("/markdown/quotes", test_quotes);
  g_test_add_func ("/markdown/tables", test_tables);
  g_test_add_func ("/markdown/inline", test_inline);
  g_test_add_func ("/markdown/links", test_links);
  g_test_add_func ("/markdown/nothing-lost", test_nothing_lost);
  g_test_add_func ("/markdown/hostile", test_hostile);
  return g_test_run ();
}
