-- For wrk: POST /tasks with a body that differs each time.
local n = 0
wrk.method = "POST"
wrk.headers["Content-Type"] = "application/json"
function request()
   n = n + 1
   return wrk.format(nil, "/tasks", nil, string.format('{"content": "Summarise chapter %d in two sentences."}', n))
end
local failed = 0
function response(status)
   if status ~= 200 then failed = failed + 1 end
end
