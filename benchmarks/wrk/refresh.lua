-- Refresh rotation: a queue of live refresh tokens; each answer's successor goes to its end.
local headers = {["Authorization"] = os.getenv("AUTH"), ["Content-Type"] = "application/x-www-form-urlencoded"}
local queue, first, last = {}, 1, 0

function init(args)
  for line in io.lines(os.getenv("TOKENS")) do
    last = last + 1
    queue[last] = line
  end
end

function request()
  local token = queue[first]
  queue[first] = nil
  first = first + 1
  return wrk.format("POST", "/token", headers, "grant_type=refresh_token&refresh_token=" .. (token or "none"))
end

function response(status, _, body)
  local token = status == 200 and body:match('"refresh_token":"([^"]+)"')
  if token then
    last = last + 1
    queue[last] = token
  end
end

function done(summary, latency, rates)
  io.write(string.format("RESULT %d %d %d %f %f\n", summary.requests, summary.duration, summary.errors.status, latency:percentile(50), latency:percentile(99)))
end
