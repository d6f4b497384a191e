-- client_credentials at one tenant after another: PATHS names them.
local headers = {["Authorization"] = os.getenv("AUTH"), ["Content-Type"] = "application/x-www-form-urlencoded"}
local requests, at = {}, 0

function init(args)
  for line in io.lines(os.getenv("PATHS")) do
    requests[#requests + 1] = wrk.format("POST", line, headers, "grant_type=client_credentials")
  end
end

function request()
  at = at % #requests + 1
  return requests[at]
end

function done(summary, latency, rates)
  io.write(string.format("RESULT %d %d %d %f %f\n", summary.requests, summary.duration, summary.errors.status, latency:percentile(50), latency:percentile(99)))
end
