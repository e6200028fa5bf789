-- The form of what is stored. Lines of the store are JSON of one known schema and become fields;
-- what anybody else writes stays text, so that it cannot give a field another type.

local STORE = "^ecommerce%-"
local KEPT = {"namespace_name", "pod_name", "container_name", "host"}

function shape(tag, timestamp, record)
  local about = record["kubernetes"] or {}
  local namespace = about["namespace_name"] or "unknown"
  local line = record["line"]
  local shaped = {}

  if namespace:find(STORE) and type(line) == "table" then
    shaped = line
  else
    shaped["message"] = record["log"] or ""
  end

  shaped["kubernetes"] = {}
  for _, name in ipairs(KEPT) do
    shaped["kubernetes"][name] = about[name]
  end
  shaped["stream"] = record["stream"]
  shaped["index_prefix"] = "logs-" .. namespace
  return 2, timestamp, shaped
end
