-- KEYS: as in reserve.lua. ARGV: the call; what it spent. The call stays among the ends until it has run out, so that it
-- is not taken for a new one.
local amount = redis.call('HGET', KEYS[1], 'o' .. ARGV[1])
if not amount then return 0 end
if redis.call('ZSCORE', KEYS[2], ARGV[1]) then
  redis.call('HINCRBY', KEYS[1], 'held', string.format('%.0f', 0 - tonumber(amount)))
end
redis.call('HDEL', KEYS[1], 'o' .. ARGV[1])
redis.call('HINCRBY', KEYS[1], 'spent', ARGV[2])
return 1
