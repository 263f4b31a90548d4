-- A POST of a background task, each with a body of its own. Arguments: cookie, kind.
local thread = 0
function setup(t)
  t:set("id", thread)
  thread = thread + 1
end

local n = 0
function init(args)
  headers = { ["Cookie"] = args[1], ["Content-Type"] = "application/json" }
  kind = args[2]
  stamp = args[3]
end

function request()
  n = n + 1
  local unique = stamp .. "-" .. id .. "-" .. n
  local body
  if kind == "create" then
    body = '{"type":"docker","repository":"dockerhub","name":"b' .. unique .. '","image":"ubuntu","tag":"latest"}'
  else
    body = '[{"type":"docker","image":"bench","tag":"t' .. unique .. '","id":"sha256none' .. unique .. '"}]'
  end
  return wrk.format("POST", "/container-station/api/v1/background/" .. kind, headers, body)
end

function done(summary, latency)
  io.write(string.format('{"requests":%d,"seconds":%f,"refused":%d,"p50":%f,"p99":%f}\n', summary.requests,
    summary.duration / 1e6, summary.errors.status + summary.errors.connect + summary.errors.read + summary.errors.timeout,
    latency:percentile(50) / 1000, latency:percentile(99) / 1000))
end
