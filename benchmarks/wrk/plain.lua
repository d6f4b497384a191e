-- One request a token: METHOD, PATH_, AUTH, TOKENS (a file, one token a line, taken in turn), BEARER (in the header, not the body).
local method, path = os.getenv("METHOD") or "GET", os.getenv("PATH_") or "/"
local headers = {}
if os.getenv("AUTH") then headers["Authorization"] = os.getenv("AUTH") end
if method == "POST" then headers["Content-Type"] = "application/x-www-form-urlencoded" end
local requests, at = {}, 0

function init(args)
  for line in io.lines(os.getenv("TOKENS")) do
    local bearer = os.getenv("BEARER")
    if bearer then headers["Authorization"] = "Bearer " .. line end
    requests[#requests + 1] = wrk.format(method, path, headers, not bearer and "token=" .. line or nil)
  end
end

function request()
  at = at % #requests + 1
  return requests[at]
end

function done(summary, latency, rates)
  io.write(string.format("RESULT %d %d %d %f %f\n", summary.requests, summary.duration, summary.errors.status, latency:percentile(50), latency:percentile(99)))
end
