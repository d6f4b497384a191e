-- One request again and again: METHOD, PATH, BODY, AUTH, TOKENS (a file: one body a line, taken in turn) in the environment.
local method, path = os.getenv("METHOD") or "GET", os.getenv("PATH_") or "/"
local headers = {}
if os.getenv("AUTH") then headers["Authorization"] = os.getenv("AUTH") end
if method == "POST" then headers["Content-Type"] = "application/x-www-form-urlencoded" end
local requests, at, bad = {}, 0, 0

function init(args)
  local file = os.getenv("TOKENS")
  if file then
    for line in io.lines(file) do
      if os.getenv("BEARER") then
        headers["Authorization"] = "Bearer " .. line
        requests[#requests + 1] = wrk.format(method, path, headers)
      else
        requests[#requests + 1] = wrk.format(method, path, headers, "token=" .. line)
      end
    end
  else
    requests[1] = wrk.format(method, path, headers, os.getenv("BODY"))
  end
end

function request()
  at = at % #requests + 1
  return requests[at]
end

function done(summary, latency, rates)
  io.write(string.format("RESULT %d %d %d %f %f\n", summary.requests, summary.duration, summary.errors.status, latency:percentile(50), latency:percentile(99)))
end
