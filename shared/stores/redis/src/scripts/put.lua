-- KEYS: a value; the names of all values; the ends of those that end. ARGV: its name; the value; its end, or nothing;
-- how long it is kept after that; now, if nothing may be replaced that has not ended.
if ARGV[5] then
  local there = redis.call('GET', KEYS[1])
  local ends = there and string.match(there, '^%d*')
  if there and (ends == '' or tonumber(ends) > tonumber(ARGV[5])) then return 0 end
end
redis.call('SET', KEYS[1], ARGV[3] .. ';' .. ARGV[2])
redis.call('ZADD', KEYS[2], 0, ARGV[1])
if ARGV[3] == '' then
  redis.call('ZREM', KEYS[3], ARGV[1])
else
  local forgotten = string.format('%.0f', tonumber(ARGV[3]) + tonumber(ARGV[4]))
  redis.call('PEXPIREAT', KEYS[1], forgotten)
  redis.call('ZADD', KEYS[3], forgotten, ARGV[1])
end
-- Names do not expire with their values: each new one takes a few old ones along.
local time = redis.call('TIME')
for _, name in ipairs(redis.call('ZRANGEBYSCORE', KEYS[3], '-inf', time[1] .. '000', 'LIMIT', 0, 4)) do
  redis.call('ZREM', KEYS[2], name)
  redis.call('ZREM', KEYS[3], name)
end
return 1
