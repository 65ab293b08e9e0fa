/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "gw-phrases"

#include "config.h"

#include <string.h>

#include <glib/gi18n.h>

#include "gw-phrases.h"

/* What a gateway or an engine says stays English, on the wire and in logs. For people, its sentences
 * are known again here by their formats and said in their language; what is not known stays as it
 * is. A test holds each of them to the place where it is made. Main thread. */

#define MAX_DEPTH 4 /* sentences within sentences, and after them */

static const char *const phrases[] = {
  /* Lines of a configuration. */
  /* Translators: of gangway.conf: its path, a line, a group, a key, and what is wrong there */
  N_ ("%s, line %u: [%s] %s: %s"),
  /* Translators: of gangway.conf: its path, a line, a group, and what is wrong there */
  N_ ("%s, line %u: [%s]: %s"),
  /* Translators: of gangway.conf: its path, a line, and what stands there */
  N_ ("%s, line %u: \"%s\" is not a group; write it as [name]"),
  /* Translators: of gangway.conf: its path, and a line */
  N_ ("%s, line %u: this is neither [group] nor key=value"),
  /* Translators: of gangway.conf: its path, a line, and a key */
  N_ ("%s, line %u: %s stands before the first [group]"),
  /* Translators: of gangway.conf: its path, a line, a key, a group, and another line */
  N_ ("%s, line %u: %s is set twice in [%s], first in line %u"),
  /* Translators: %s is a path */
  N_ ("%s: is not a text file in UTF-8 of at most 1 MiB"),
  /* Translators: %s is the reason */
  N_ ("The configuration cannot be read: %s"),
  /* Translators: a path, and the reason */
  N_ ("The configuration cannot be written to %s: %s"),

  /* What is wrong with a value. */
  /* Translators: of gangway.conf; the names stand there as they are */
  N_ ("there is no such group; the groups are gateway, queue, workers and provider NAME"),
  /* Translators: %s is a key of gangway.conf */
  N_ ("unknown setting; did you mean %s?"),
  N_ ("unknown setting; man gangway.conf has all of them"),
  /* Translators: what stands there, and the least and the largest number */
  N_ ("\"%s\" is not a whole number from %u to %u"),
  /* Translators: %s is what stands there */
  N_ ("\"%s\" is neither true nor false"),
  /* Translators: %s is what stands there */
  N_ ("\"%s\" is not an IP address of this machine, as 127.0.0.1, ::1 or 0.0.0.0"),
  /* Translators: GANGWAY_REDIS_URI is the name of an environment variable */
  N_ ("GANGWAY_REDIS_URI must be redis://[user:password@]host:port/db, rediss://… or "
      "redis+unix:///path"),
  /* Translators: of a setting */
  N_ ("must be redis://[user:password@]host:port/db, rediss://… or redis+unix:///path"),
  /* Translators: %s is a path */
  N_ ("%s must hold one line, the password"),
  /* Translators: GANGWAY_TOKEN is the name of an environment variable */
  N_ ("GANGWAY_TOKEN must be printable ASCII without blanks"),
  /* Translators: %s is a path */
  N_ ("%s must hold one line of printable ASCII without blanks"),
  /* Translators: %s is what stands there */
  N_ ("\"%s\" is neither resend nor hold"),
  /* Translators: %s is what stands there */
  N_ ("\"%s\" is not a number of seconds from 0.001 to 86400"),
  /* Translators: of a command; %s is the reason */
  N_ ("cannot be split into words: %s"),
  /* Translators: %s is what stands there */
  N_ ("\"%s\" is none of openai, command and practice"),
  /* Translators: of a setting */
  N_ ("is missing; set the address of the provider, as https://api.example.com/v1"),
  /* Translators: %s is what stands there */
  N_ ("\"%s\" is not a web address"),
  /* Translators: %s is what stands there */
  N_ ("\"%s\" must begin with https://, or http:// on this machine or its network"),
  /* Translators: of an address; api-key-env is a key of gangway.conf */
  N_ ("must hold no user name or password; a key is set by api-key-env or the keyring"),
  /* Translators: %s is what stands there */
  N_ ("\"%s\" must end with a path, without ? or #"),
  /* Translators: what stands there, and the name of a computer */
  N_ ("\"%s\" would send the key and the tasks unencrypted to %s; use https://"),
  /* Translators: %d is a number of characters */
  N_ ("the name of a provider is 1 to %d letters, digits, '.', '_' or '-', and begins with a "
      "letter or digit"),
  /* Translators: a number that is set, the least and the largest */
  N_ ("%u is out of range (%u to %u)"),
  /* Translators: of a setting */
  N_ ("is out of range (0.001 to 86400 seconds)"),
  /* Translators: of a setting */
  N_ ("must be UTF-8 text of at most 4096 bytes"),
  /* Translators: of a setting */
  N_ ("must hold no control characters"),
  /* Translators: of a setting */
  N_ ("is not the name of an environment variable (the name of the variable belongs here, "
      "not the key)"),
  /* Translators: \"practice\" stands in the configuration as it is */
  N_ ("the name \"practice\" belongs to the practice provider; give yours another one"),
  /* Translators: of a setting */
  N_ ("is missing; set the program to run and its arguments"),

  /* A start. */
  /* Translators: --workers-only, --redis and redis-uri are typed as they are */
  N_ ("--workers-only needs a queue on Redis: give --redis, or redis-uri in the "
      "configuration."),
  /* Translators: port, and address; --port, [gateway] and gangway.conf are typed as they are */
  N_ ("Port %u of %s is taken by another program."),
  /* Translators: --port, [gateway] and gangway.conf are typed as they are */
  N_ ("Stop that program, or choose another port with --port or in [gateway] of gangway.conf."),
  /* Translators: an address, a port, and the reason */
  N_ ("Cannot listen on %s, port %u: %s."),
  N_ ("Choose an address of this machine and a port that this user may open."),
  /* Translators: %s is what was given */
  N_ ("'%s' is no address to listen on."),
  N_ ("Give an IP address, as 127.0.0.1, or localhost."),
  /* Translators: %s is an address */
  N_ ("Listening on %s lets other machines in, which needs a token."),
  /* Translators: token-file, [gateway], gangway.conf and GANGWAY_TOKEN are typed as they are */
  N_ ("Name a file that holds one as token-file in [gateway] of gangway.conf, or set "
      "GANGWAY_TOKEN."),
  /* Translators: a folder, and the address of a gateway */
  N_ ("The data in %s are in use by the gateway at %s."),
  /* Translators: --data-dir is typed as it is */
  N_ ("Use that one, or choose another folder with --data-dir."),
  /* Translators: %s is a folder */
  N_ ("The data in %s are in use by another Gangway."),
  /* Translators: --data-dir is typed as it is */
  N_ ("Close it, or choose another folder with --data-dir."),
  /* Translators: a folder, and the reason */
  N_ ("%s could not be opened: %s."),
  /* Translators: --data-dir is typed as it is */
  N_ ("Check the folder, or choose another one with --data-dir."),
  /* Translators: a folder, and the reason */
  N_ ("The folder %s could not be made: %s."),
  /* Translators: --data-dir is typed as it is */
  N_ ("Choose another one with --data-dir."),
  /* Translators: a file, and the reason */
  N_ ("%s cannot be written (%s)."),
  /* Translators: --data-dir is typed as it is */
  N_ ("Check that its folder exists and belongs to you, or choose another one with "
      "--data-dir."),

  /* Providers, their tests and their answers. */
  /* Translators: the name of a provider, its address, and the reason */
  N_ ("%s at %s cannot be reached: %s."),
  N_ ("It is tried again."),
  N_ ("It is sent again."),
  N_ ("Its tasks wait."),
  /* Translators: the name of a provider, and what it said */
  N_ ("The key for %s was not accepted (%s)."),
  /* Translators: the name of a provider, and what it said */
  N_ ("%s wants a key, and has none here (%s)."),
  /* Translators: of a key */
  N_ ("Put one in, then resume it."),
  /* Translators: of a key */
  N_ ("Put one in."),
  /* Translators: of a key */
  N_ ("Put in the right one, then resume it."),
  /* Translators: of a key */
  N_ ("Put in the right one."),
  /* Translators: the name of a provider, and what it said */
  N_ ("The %s account is out of credit or quota (%s)."),
  /* Translators: of an account */
  N_ ("Mend that and resume it, or use another provider."),
  /* Translators: of an account */
  N_ ("Mend that, or use another provider."),
  /* Translators: a model, the name of a provider, and what it said */
  N_ ("\"%s\" is not offered by %s (%s)."),
  N_ ("Choose another model for this task."),
  N_ ("Choose a model that it offers, then resume it."),
  N_ ("Choose a model that it offers."),
  /* Translators: the name of a provider, a model, and what the provider said */
  N_ ("At its address %s has no such service, or not \"%s\" (%s)."),
  /* Translators: base-url is a key of gangway.conf */
  N_ ("Check base-url and model, then resume it."),
  /* Translators: base-url is a key of gangway.conf */
  N_ ("Check base-url and model."),
  /* Translators: the name of a provider, where it sends calls to, and an HTTP status */
  N_ ("%s sends calls on to %s (%u); they are not followed, so that the key goes nowhere "
      "else."),
  /* Translators: base-url is a key of gangway.conf */
  N_ ("Set base-url to the right address, then resume it."),
  /* Translators: base-url is a key of gangway.conf */
  N_ ("Set base-url to the right address."),
  /* Translators: %s is the name of a provider */
  N_ ("The address of %s is not one: set base-url right, then resume it."),
  /* Translators: %s is the name of a provider */
  N_ ("The address of %s is not one: set base-url right."),
  /* Translators: %s is the name of a provider */
  N_ ("%s answered, but not with a list of models; check base-url."),
  N_ ("The provider did not answer in 10 seconds."),
  /* Translators: the name of a provider, and what it said */
  N_ ("%s had a problem (%s)."),
  /* Translators: the name of a provider, and what it said */
  N_ ("%s is overloaded (%s)."),
  N_ ("It is asked again in a while."),
  N_ ("It asked to wait far longer than an hour; it is asked again after one."),
  /* Translators: the name of a provider, and what it said */
  N_ ("%s takes fewer calls at once than are sent (%s)."),
  /* Translators: the name of a provider, and what it said */
  N_ ("%s asks to slow down (%s)."),
  /* Translators: the name of a provider, and what it said */
  N_ ("%s takes no more until a time that it names (%s)."),
  /* Translators: the name of a provider, and what it said */
  N_ ("%s did not accept the request (%s)."),
  /* Translators: the name of a provider, and what it said */
  N_ ("%s declined to answer this task (%s)."),
  /* Translators: the name of a provider, and what it said */
  N_ ("%s gave up waiting (%s)."),
  /* Translators: the name of a provider, and a number of seconds */
  N_ ("No answer of %s within %u s."),
  /* Translators: the name of a provider, and a number of seconds */
  N_ ("%s did not take the whole request within %u s."),
  /* Translators: the name of a provider, and a number of seconds */
  N_ ("%s had begun to answer, and was not done within %u s."),
  /* Translators: the name of a provider, and why */
  N_ ("The answer of %s cannot be used: %s."),
  /* Translators: of an answer */
  N_ ("it is not UTF-8 text"),
  /* Translators: of an answer */
  N_ ("it is longer than 32 MiB"),
  /* Translators: of an answer */
  N_ ("it is empty"),
  /* Translators: of an answer */
  N_ ("it is not JSON"),
  /* Translators: of an answer */
  N_ ("it was cut off"),
  /* Translators: of an answer */
  N_ ("it holds no choice"),
  /* Translators: of an answer */
  N_ ("it is an HTML page, maybe of a proxy or a sign-in to the network"),
  /* Translators: of an answer */
  N_ ("an error message was delivered as if it were the answer of the model"),
  /* Translators: of an answer */
  N_ ("the stream ended before the answer did"),
  /* Translators: of an answer */
  N_ ("the model asks for a tool instead of answering"),
  /* Translators: the name of a program that answers tasks, and its exit status */
  N_ ("%s ended with exit status %d."),
  /* Translators: the name of a program that answers tasks, its exit status, and what it said */
  N_ ("%s ended with exit status %d (%s)."),
  /* Translators: %s is the name of a program that answers tasks */
  N_ ("%s ended well and wrote no answer to its standard output."),
  /* Translators: the name of a program that answers tasks, and the reason */
  N_ ("The command of %s cannot be started: %s."),
  /* Translators: of a command */
  N_ ("Mend it, then resume it."),
  /* Translators: of a command */
  N_ ("Mend it."),
  /* Translators: %s is a program */
  N_ ("There is no program \"%s\" that can be run."),

  /* Redis: what it says stands in the middle as it is, what to do follows. */
  /* Translators: an address, its version, and the version that is needed */
  N_ ("Redis at %s is version %s; the queue needs %d.%d or newer. Install a newer one."),
  /* Translators: %s is an address */
  N_ ("Redis at %s is part of a cluster, which the queue cannot use. Give it a server of its own."),
  /* Translators: an address, and a value; the words in quotes are typed as they are */
  N_ ("Redis at %s may throw tasks away when its memory is full (maxmemory-policy is %s). Set "
      "“maxmemory-policy noeviction” in redis.conf, or run CONFIG SET maxmemory-policy noeviction."),
  /* Translators: an address, and a number of seconds */
  N_ ("Redis at %s has not answered for %.1f s. It is too busy, frozen, or the network is slow."),
  /* Translators: %s is an address */
  N_ ("Redis at %s does not get its file written. Look at its disk and its log, then run this "
      "again."),
  /* Translators: an address, a file, what it should hold, and the reason */
  N_ ("Redis at %s: %s, which should hold %s, cannot be used (%s). Correct it."),
  /* Translators: what a file should hold */
  N_ ("who vouches for the server"),
  /* Translators: what a file should hold */
  N_ ("our certificate"),
  /* Translators: what a file should hold */
  N_ ("the key of our certificate"),
  /* Translators: of a file */
  N_ ("it cannot be read"),
  /* Translators: an address, and the reason; redis-cert-file is a key of gangway.conf */
  N_ ("Redis at %s: no TLS connection came about (%s). Look whether TLS is spoken on that port, and "
      "whether the server wants a certificate of us (redis-cert-file)."),
  /* Translators: an address, and the name of a computer */
  N_ ("Redis at %s: the certificate of the server is for another name. Write the name that stands in "
      "it, or give the server one for “%s”."),
  /* Translators: %s is an address */
  N_ ("Redis at %s: the certificate of the server has expired. Renew it."),
  /* Translators: an address, and the reason; redis-ca-file is a key of gangway.conf */
  N_ ("Redis at %s: the certificate of the server is not trusted (%s). Name who vouches for it by "
      "redis-ca-file."),
  /* Translators: %s is an address */
  N_ ("Redis at %s: OpenSSL cannot be used."),
  /* Translators: an address, and the name of a computer */
  N_ ("Redis at %s: “%s” is no name that a certificate could have. Correct it."),
  /* Translators: %s is an address */
  N_ ("Redis at %s: this build cannot speak TLS to Redis (hiredis 1.0 or newer with its TLS part was "
      "not there). Use redis:// over a network that you trust, or through a tunnel (stunnel, "
      "WireGuard)."),
  N_ ("This build cannot speak TLS to Redis (hiredis 1.0 or newer with its TLS part was not there). "
      "Use redis:// over a network that you trust, or through a tunnel (stunnel, WireGuard)."),
  /* Translators: of Redis; the names are keys of gangway.conf */
  N_ ("If it wants a certificate of us, name ours by redis-cert-file and redis-key-file."),
  /* Translators: an address, and what Redis or the system said */
  N_ ("Redis at %s: %s. It is tried again by itself; look whether it runs."),
  /* Translators: an address, and what Redis or the system said; what to do follows */
  N_ ("Redis at %s: %s."),
  /* Translators: of a connection to Redis */
  N_ ("no answer in time"),
  /* Translators: of a connection to Redis */
  N_ ("the connection was lost"),
  /* Translators: of Redis; INFO is the name of a command */
  N_ ("it does not tell about itself (INFO)"),
  /* Translators: of Redis */
  N_ ("It wants a password: write redis://:password@host, or user:password@."),
  /* Translators: of Redis */
  N_ ("It does not accept this user and password. Correct them."),
  /* Translators: of Redis */
  N_ ("It has no password set, but the address holds one. Leave it out."),
  /* Translators: of Redis; the names and signs are typed as they are */
  N_ ("This user may not do what the queue needs. Give it what examples/redis.conf gives to its user, "
      "with ~gangway:* and &gangway:*, or use another user."),
  /* Translators: of Redis */
  N_ ("It has fewer databases. Give another number at the end of the address."),
  /* Translators: of an address */
  N_ ("What answers there is no Redis, or wants TLS. Correct the address."),
  /* Translators: of Redis */
  N_ ("It is still reading its data after a start. Wait; it is tried again by itself."),
  /* Translators: of Redis */
  N_ ("It is a replica, which cannot be written to. Give the address of the primary; should this one "
      "become it, the queue goes on by itself."),
  /* Translators: of Redis */
  N_ ("It is a replica without its primary. Give the address of a primary."),
  /* Translators: of Redis; min-replicas-to-write is one of its settings */
  N_ ("Too few replicas follow it, so it refuses to change any data (min-replicas-to-write). Start "
      "them."),
  /* Translators: of Redis; maxmemory is one of its settings */
  N_ ("Its memory is full. Raise maxmemory, or, with Redis 7 or newer, remove old projects."),
  /* Translators: of Redis */
  N_ ("It cannot write its data to disk, so it refuses to change any. Look at its log and its disk."),
  /* Translators: of Redis */
  N_ ("Another script keeps it busy. It is tried again by itself."),
  /* Translators: of Redis */
  N_ ("It is too busy, frozen, or the network lost its answer. It is tried again by itself."),
  N_ ("Nothing listens there. Start Redis, or correct the address."),
  N_ ("There is no such socket. Start Redis, or correct the path."),
  N_ ("A step of Gangway failed there: keys of the queue were changed by hand, or this is an error in "
      "Gangway. Please report it."),
  /* Translators: %s is an address */
  N_ ("The connection to Redis at %s was lost before it answered. Whether the step was done is not "
      "known: look, or repeat it with the same Idempotency-Key."),
  /* Translators: %s is an address */
  N_ ("The queue on %s was written by a newer Gangway. Install the newer program here."),
  /* Translators: %s is what is wrong with it, as one of the next ones; the rest is typed as it is */
  N_ ("The address of Redis %s. Write redis://[user:password@]host:port/db, rediss://… for TLS, or "
      "redis+unix:///path."),
  /* Translators: of an address of Redis */
  N_ ("names its database by something that is no number"),
  /* Translators: of an address of Redis */
  N_ ("cannot be read"),
  /* Translators: of an address of Redis */
  N_ ("names no host"),
  /* Translators: of an address of Redis */
  N_ ("names a user without a password"),
  /* Translators: of an address of Redis */
  N_ ("names no socket by its whole path"),
  /* Translators: of an address of Redis */
  N_ ("has another scheme"),
  /* Translators: --redis and redis-uri are typed as they are */
  N_ ("Nobody said which Redis: give --redis, or redis-uri in the configuration."),
  /* Translators: a number, and a folder; gangwayd --redis is typed as it is */
  N_ ("%u answers in %s have not been told to the queue on Redis yet. Start gangwayd --redis on this "
      "folder until they have been, then move it."),
};

static const struct {
  GwError code;
  const char *words;
} failures[] = {
  { GW_ERROR_TASK_TIMEOUT, NC_ ("failure", "timeout") },
  { GW_ERROR_TASK_SERVER, NC_ ("failure", "server") },
  { GW_ERROR_TASK_NETWORK, NC_ ("failure", "network") },
  { GW_ERROR_TASK_BAD_REPLY, NC_ ("failure", "bad-reply") },
  { GW_ERROR_TASK_BAD_REQUEST, NC_ ("failure", "bad-request") },
  { GW_ERROR_TASK_TOO_LONG, NC_ ("failure", "too-long") },
  { GW_ERROR_TASK_REFUSED, NC_ ("failure", "refused") },
  { GW_ERROR_TASK_MODEL, NC_ ("failure", "model") },
  { GW_ERROR_TASK_QUOTA, NC_ ("failure", "quota") },
  { GW_ERROR_TASK_AUTH, NC_ ("failure", "auth") },
  { GW_ERROR_TASK_RATE, NC_ ("failure", "rate") },
  { GW_ERROR_TASK_QUARANTINED, NC_ ("failure", "quarantined") },
  { GW_ERROR_TASK_CANCELLED, NC_ ("failure", "cancelled") },
  { GW_ERROR_TASK_LOST, NC_ ("failure", "lost") },
  { GW_ERROR_TASK_UNKNOWN, NC_ ("failure", "unknown") },
};

static char *translate (const char *text, guint depth);

/* The letter of what is filled in at @c, which is its %. */
static const char *
find_letter (const char *c)
{
  return c + 1 + strspn (c + 1, ".0123456789");
}

/* A format as an expression: one group for each thing that is filled in. A sentence may be followed
 * by others, which are the last group. */
static GRegex *
compile (const char *phrase)
{
  g_autoptr (GString) pattern = g_string_new ("^");

  for (const char *c = phrase; *c != '\0'; c++)
    {
      if (*c != '%')
        {
          g_autofree char *escaped = g_regex_escape_string (c, 1);

          g_string_append (pattern, escaped);
          continue;
        }
      c = find_letter (c);
      g_string_append (pattern, *c == 's' ? "(.*?)" : *c == 'f' ? "(-?[0-9.]+)" : "(-?[0-9]+)");
    }
  g_string_append (pattern, g_str_has_suffix (phrase, ".") ? "(?: (.*))?$" : "$");

  return g_regex_new (pattern->str, G_REGEX_DOTALL | G_REGEX_RAW, 0, NULL);
}

static GRegex *
get_expression (guint i)
{
  static GRegex *expressions[G_N_ELEMENTS (phrases)];

  if (expressions[i] == NULL)
    expressions[i] = compile (phrases[i]);

  return expressions[i];
}

/* @words: the translated format, whose fillings may stand in another order. */
static char *
fill (const char *words,
      GMatchInfo *match,
      guint *n_filled,
      guint depth)
{
  g_autoptr (GString) text = g_string_new (NULL);
  guint next = 1;

  for (const char *c = words; *c != '\0'; c++)
    {
      g_autofree char *found = NULL;
      g_autofree char *said = NULL;
      guint number;
      char *end;

      if (*c != '%')
        {
          g_string_append_c (text, *c);
          continue;
        }
      number = (guint) g_ascii_strtoull (c + 1, &end, 10);
      if (end > c + 1 && *end == '$')
        c = end;
      else
        number = next;
      c = find_letter (c);
      found = g_match_info_fetch (match, (int) number);
      said = translate (found, depth + 1);
      g_string_append (text, said);
      next++;
    }
  *n_filled = next - 1;

  return g_string_free (g_steal_pointer (&text), FALSE);
}

/* The sentence at the beginning of @text, and those after it; %NULL: not known. */
static char *
translate_known (const char *text,
                 guint depth)
{
  for (guint i = 0; i < G_N_ELEMENTS (phrases); i++)
    {
      const char *words = _(phrases[i]);
      g_autoptr (GMatchInfo) match = NULL;
      g_autofree char *first = NULL;
      g_autofree char *rest = NULL;
      g_autofree char *others = NULL;
      guint n = 0;

      if (words == phrases[i])
        continue;
      if (!g_regex_match (get_expression (i), text, 0, &match))
        continue;
      first = fill (words, match, &n, depth);
      rest = g_match_info_fetch (match, (int) n + 1);
      if (rest == NULL || *rest == '\0')
        return g_steal_pointer (&first);
      others = translate (rest, depth + 1);
      /* Languages whose full stop is as wide as a letter put no blank behind it. */
      return g_strconcat (first, g_str_has_suffix (first, "。") ? "" : " ", others, NULL);
    }

  return NULL;
}

static char *
translate (const char *text,
           guint depth)
{
  g_autofree char *known = NULL;
  const char *end;

  if (text == NULL || depth > MAX_DEPTH || !g_utf8_validate (text, -1, NULL))
    return g_strdup (text != NULL ? text : "");

  known = translate_known (text, depth);
  if (known != NULL)
    return g_steal_pointer (&known);

  /* A field, and what is wrong with it. */
  end = text + strspn (text, "abcdefghijklmnopqrstuvwxyz_-");
  if (end > text && g_str_has_prefix (end, ": "))
    {
      g_autofree char *said = translate (end + 2, depth + 1);

      return g_strdup_printf ("%.*s: %s", (int) (end - text), text, said);
    }

  /* What another program said, and what of ours follows it. */
  for (end = strstr (text, ". "); end != NULL; end = strstr (end + 2, ". "))
    {
      known = translate_known (end + 2, depth + 1);
      if (known != NULL)
        return g_strdup_printf ("%.*s %s", (int) (end + 1 - text), text, known);
    }

  return g_strdup (text);
}

/**
 * gw_phrase_translate:
 * @text: (nullable): a message of a gateway or an engine
 *
 * Returns: (transfer full): it in the user's language, as far as it is known; else as it is
 */
char *
gw_phrase_translate (const char *text)
{
  return translate (text, 0);
}

/**
 * gw_phrase_for_failure:
 * @code: why a task failed
 *
 * Returns: (transfer none): one word for it in the user's language; in English the one of the
 *   interface, gw_error_to_string()
 */
const char *
gw_phrase_for_failure (GwError code)
{
  for (guint i = 0; i < G_N_ELEMENTS (failures); i++)
    {
      if (failures[i].code == code)
        return g_dpgettext2 (GETTEXT_PACKAGE, "failure", failures[i].words);
    }

  return gw_error_to_string (code);
}
