-- The same request again and again (wrk formats it once): METHOD, PATH_, BODY, AUTH in the environment.
wrk.method, wrk.path, wrk.body = os.getenv("METHOD") or "GET", os.getenv("PATH_") or "/", os.getenv("BODY")
if os.getenv("AUTH") then wrk.headers["Authorization"] = os.getenv("AUTH") end
if wrk.body then wrk.headers["Content-Type"] = "application/x-www-form-urlencoded" end

function done(summary, latency, rates)
  io.write(string.format("RESULT %d %d %d %f %f\n", summary.requests, summary.duration, summary.errors.status, latency:percentile(50), latency:percentile(99)))
end
