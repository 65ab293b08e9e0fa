/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "gw-json.h"

#include "raw-client.h"

int
raw_connect (const char *uri)
{
  const char *colon = strrchr (uri, ':');
  struct sockaddr_in address = { .sin_family = AF_INET };
  struct timeval limit = { .tv_sec = 30 };
  int fd = socket (AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  int on = 1;

  g_assert_nonnull (colon);
  address.sin_port = htons (atoi (colon + 1));
  address.sin_addr.s_addr = htonl (INADDR_LOOPBACK);
  g_assert_cmpint (fd, >=, 0);
  setsockopt (fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  setsockopt (fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  g_assert_cmpint (connect (fd, (struct sockaddr *) &address, sizeof address), ==, 0);

  return fd;
}

void
raw_send (int fd,
          const char *text,
          gssize length)
{
  gsize left = length >= 0 ? (gsize) length : strlen (text);

  while (left > 0)
    {
      ssize_t n_sent = send (fd, text, left, MSG_NOSIGNAL);

      /* The gateway may have hung up in the middle: it is the reply that the test looks at. */
      if (n_sent < 0)
        return;
      text += n_sent;
      left -= n_sent;
    }
}

/* Reads one byte at a time: what follows belongs to the next reply. */
static gboolean
read_until_blank (int fd,
                  GString *head)
{
  while (!g_str_has_suffix (head->str, "\r\n\r\n"))
    {
      char c;

      if (recv (fd, &c, 1, 0) != 1)
        return FALSE;
      g_string_append_c (head, c);
    }

  return TRUE;
}

static gboolean
read_exactly (int fd,
              GString *body,
              gsize length)
{
  char buffer[16384];

  while (length > 0)
    {
      ssize_t n_read = recv (fd, buffer, MIN (length, sizeof buffer), 0);

      if (n_read <= 0)
        return FALSE;
      g_string_append_len (body, buffer, n_read);
      length -= n_read;
    }

  return TRUE;
}

static gboolean
read_line (int fd,
           GString *line)
{
  g_string_truncate (line, 0);
  while (!g_str_has_suffix (line->str, "\r\n"))
    {
      char c;

      if (recv (fd, &c, 1, 0) != 1)
        return FALSE;
      g_string_append_c (line, c);
    }

  return TRUE;
}

static gboolean
read_chunks (int fd,
             GString *body)
{
  g_autoptr (GString) line = g_string_new (NULL);

  for (;;)
    {
      gsize length;

      if (!read_line (fd, line))
        return FALSE;
      length = strtoul (line->str, NULL, 16);
      if (!read_exactly (fd, body, length) || !read_line (fd, line))
        return FALSE;
      if (length == 0)
        return TRUE;
    }
}

char *
raw_header (const RawReply *reply,
            const char *name)
{
  g_auto (GStrv) lines = g_strsplit (reply->head, "\r\n", -1);

  for (guint i = 1; lines[i] != NULL; i++)
    {
      char *colon = strchr (lines[i], ':');

      if (colon == NULL)
        continue;
      *colon = '\0';
      if (g_ascii_strcasecmp (lines[i], name) == 0)
        return g_strdup (g_strstrip (colon + 1));
    }

  return NULL;
}

RawReply *
raw_receive (int fd,
             gboolean no_body)
{
  RawReply *reply = g_new0 (RawReply, 1);
  GString *head = g_string_new (NULL);
  g_autofree char *length = NULL, *coding = NULL;
  gboolean whole = read_until_blank (fd, head);

  reply->head = g_string_free (head, FALSE);
  reply->body = g_string_new (NULL);
  if (!whole)
    return reply;
  g_assert_cmpint (sscanf (reply->head, "HTTP/1.%*c %u", &reply->status), ==, 1);

  length = raw_header (reply, "Content-Length");
  coding = raw_header (reply, "Transfer-Encoding");
  if (no_body || reply->status == 204 || reply->status / 100 == 1)
    return reply;
  if (coding != NULL)
    whole = read_chunks (fd, reply->body);
  else if (length != NULL)
    whole = read_exactly (fd, reply->body, strtoul (length, NULL, 10));
  else
    while (read_exactly (fd, reply->body, 1))
      ;
  if (!whole)
    reply->status = 0;
  else
    reply->json = gw_json_parse (reply->body->str, reply->body->len, NULL);

  return reply;
}

void
raw_reply_free (RawReply *reply)
{
  g_free (reply->head);
  g_string_free (reply->body, TRUE);
  g_clear_pointer (&reply->json, json_node_unref);
  g_free (reply);
}

void
raw_send_get (int fd,
              const char *path)
{
  g_autofree char *text = g_strdup_printf ("GET %s HTTP/1.1\r\nHost: localhost\r\n\r\n", path);

  raw_send (fd, text, -1);
}

RawReply *
raw_exchange (int fd,
              const char *method,
              const char *path,
              const char *headers,
              const char *body)
{
  g_autoptr (GString) text = g_string_new (NULL);

  g_string_append_printf (text, "%s %s HTTP/1.1\r\nHost: 127.0.0.1\r\n%s", method, path,
                          headers != NULL ? headers : "");
  if (body != NULL && (headers == NULL || strstr (headers, "Content-Type") == NULL))
    g_string_append (text, "Content-Type: application/json\r\n");
  if (body != NULL)
    g_string_append_printf (text, "Content-Length: %zu\r\n", strlen (body));
  g_string_append (text, "\r\n");
  if (body != NULL)
    g_string_append (text, body);
  raw_send (fd, text->str, text->len);

  return raw_receive (fd, strcmp (method, "HEAD") == 0);
}

RawReply *
raw_request (const char *uri,
             const char *method,
             const char *path,
             const char *headers,
             const char *body)
{
  int fd = raw_connect (uri);
  RawReply *reply = raw_exchange (fd, method, path, headers, body);

  close (fd);

  return reply;
}

JsonObject *
raw_object (const RawReply *reply)
{
  g_assert_nonnull (reply->json);
  g_assert_true (JSON_NODE_HOLDS_OBJECT (reply->json));

  return json_node_get_object (reply->json);
}

void
raw_assert_problem (const RawReply *reply,
                    guint status,
                    const char *code,
                    const char *detail_has)
{
  g_autofree char *type = raw_header (reply, "Content-Type");
  JsonObject *object;

  g_test_message ("%u %s", reply->status, reply->body->str);
  g_assert_cmpuint (reply->status, ==, status);
  g_assert_cmpstr (type, ==, "application/problem+json");
  object = raw_object (reply);
  g_assert_cmpint (gw_json_peek_int (object, "status", 0), ==, status);
  g_assert_cmpstr (gw_json_peek_string (object, "code"), ==, code);
  g_assert_nonnull (gw_json_peek_string (object, "type"));
  g_assert_nonnull (gw_json_peek_string (object, "title"));
  g_assert_nonnull (gw_json_peek_string (object, "detail"));
  if (detail_has != NULL)
    g_assert_nonnull (strstr (gw_json_peek_string (object, "detail"), detail_has));
}

guint
count_descriptors (void)
{
  g_autoptr (GDir) dir = g_dir_open ("/proc/self/fd", 0, NULL);
  guint count = 0;

  while (g_dir_read_name (dir) != NULL)
    count++;

  return count;
}

gsize
read_resident (void)
{
  g_autofree char *statm = NULL;
  unsigned long resident = 0;

  g_assert_true (g_file_get_contents ("/proc/self/statm", &statm, NULL, NULL));
  g_assert_cmpint (sscanf (statm, "%*u %lu", &resident), ==, 1);

  return resident * (gsize) sysconf (_SC_PAGESIZE);
}
