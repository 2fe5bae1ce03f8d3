-- KEYS: the names of all values; the ends of those that end. ARGV: a prefix; now; how long values are kept after their
-- end; where to begin among the names with that prefix; how many to look at. Answers how many it looked at, then those
-- that have not ended.
local names = redis.call('ZRANGEBYLEX', KEYS[1], '[' .. ARGV[1], '(' .. ARGV[1] .. '\255', 'LIMIT', ARGV[4], ARGV[5])
local found = { #names }
for _, name in ipairs(names) do
  local forgotten = redis.call('ZSCORE', KEYS[2], name)
  if not forgotten or tonumber(forgotten) - tonumber(ARGV[3]) > tonumber(ARGV[2]) then
    found[#found + 1] = name
  end
end
return found
