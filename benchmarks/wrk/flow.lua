-- Code + PKCE with a live session: GET /authorize, then POST /token with the code of its redirect.
local cookie = {["Cookie"] = os.getenv("COOKIE")}
local headers = {["Authorization"] = os.getenv("AUTH"), ["Content-Type"] = "application/x-www-form-urlencoded"}
local authorize = os.getenv("AUTHORIZE")
local redeem = "grant_type=authorization_code&redirect_uri=" .. os.getenv("REDIRECT") .. "&code_verifier=" .. os.getenv("VERIFIER") .. "&code="
local codes, n, tokens = {}, 0, 0

function request()
  if n > 0 then
    local code = codes[n]
    codes[n] = nil
    n = n - 1
    return wrk.format("POST", "/token", headers, redeem .. code)
  end
  return wrk.format("GET", authorize, cookie)
end

function response(status, h, body)
  if status == 303 then
    local code = (h["Location"] or ""):match("[?&]code=([^&]+)")
    if code then
      n = n + 1
      codes[n] = code
    end
  elseif status == 200 then
    tokens = tokens + 1
    wrk.thread:set("tokens", tokens)
  end
end

local threads = {}
function setup(thread)
  threads[#threads + 1] = thread
end

function done(summary, latency, rates)
  local flows = 0
  for _, t in ipairs(threads) do flows = flows + (t:get("tokens") or 0) end
  io.write(string.format("RESULT %d %d %d %f %f\n", flows, summary.duration, summary.errors.status, latency:percentile(50), latency:percentile(99)))
end
